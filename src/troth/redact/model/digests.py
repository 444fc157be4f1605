"""SHA-256 of the shipped weights; written by `training/ship.py`."""

DIGESTS = {
    "knowledge": "2bd142208ce3020e7fb1f836c5961e6009e2c1f346f8d20e7a6b960034f91617",
    "fast": "f756293c08383174e7c1c2e53abf14b1385afd1084dd82809e2f3b553dc8eb64",
    "accurate": "272b00a57ef62483d4bca89cec588d8ac664bed4a3d633e82e5fb8cc8ded5875",
}
