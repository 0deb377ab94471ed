"""The proof that it stays alive: one workspace, a dozen listeners, and everything around it failing in turns."""
