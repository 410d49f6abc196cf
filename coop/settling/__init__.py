"""Single lines of bank statements, settled by a person: split, tied to what was noted, booked as what they are."""
