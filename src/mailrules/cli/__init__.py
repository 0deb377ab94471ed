"""The command line: arguments in, a World chosen, results printed. One command a file."""
