"""SHA-256 of the shipped weights; written by `training/ship.py`."""

DIGESTS = {
    "knowledge": "137248c71f848051768ecccf2bb1eb07c34684b25becc1a7eb18cb67b8f6d2ae",
    "fast": "5f782b1c5cdfe6ceaf55f82f058ee88fd905f73683547476d251c589d7634b8d",
}
