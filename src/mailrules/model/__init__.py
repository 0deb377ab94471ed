"""The words of mailrules as frozen, slotted types: no behaviour beyond what a value can say of itself."""
