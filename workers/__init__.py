"""What is done beside the pages: one task of three lines per job, and the timetable."""
