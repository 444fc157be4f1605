"""SHA-256 of the shipped weights; written by `training/ship.py`."""

DIGESTS = {
    "knowledge": "58f620412ac26a9e656bd0363d8ee87eaba1dbb582fe56259501fa0b30a0a6af",
    "fast": "f756293c08383174e7c1c2e53abf14b1385afd1084dd82809e2f3b553dc8eb64",
    "accurate": "272b00a57ef62483d4bca89cec588d8ac664bed4a3d633e82e5fb8cc8ded5875",
}
