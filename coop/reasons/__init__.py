"""Why a household got what it got: each batch read as it was frozen, and explained claim by claim."""
