"""Why a household got what it got: explained claim by claim, from what each batch froze."""
