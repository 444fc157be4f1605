"""Canaille, an OpenID provider of others, with one person and one client: python canaille_server.py PORT REDIRECT.

Runs in Canaille's own environment (.venv/idp), so it imports nothing of ours.
"""

import datetime
import sys

from canaille import create_app
from canaille.app import models
from canaille.oidc.jose import make_default_rsa_jwk
from werkzeug.serving import make_server

port, redirect = int(sys.argv[1]), sys.argv[2]
app = create_app(
    {
        "SECRET_KEY": "a key of a test",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "SESSION_COOKIE_SECURE": False,
        "CANAILLE": {"DATABASE": "memory", "SMTP": None, "HTMX": False, "JAVASCRIPT": False, "CAPTCHA_ENABLED": False},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [make_default_rsa_jwk().as_dict(private=True)]},
    }
)
with app.app_context():
    from canaille.backends import Backend

    now = datetime.datetime.now(datetime.UTC)
    Backend.instance.save(
        models.User(
            user_name="ada",
            formatted_name="Ada Lovelace",
            family_name="Lovelace",
            emails=["ada@canaille.example.org"],
            password="correct horse battery staple",
        )
    )
    client = models.Client(
        client_id="troth",
        client_name="Troth",
        client_secret="a-secret-of-the-client",
        client_id_issued_at=now,
        redirect_uris=[redirect],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile"],
        token_endpoint_auth_method="client_secret_basic",
        id_token_signed_response_alg="RS256",
    )
    Backend.instance.save(client)
    client.audience = [client]  # who its ID tokens are for
    Backend.instance.save(client)
server = make_server("127.0.0.1", port, app, threaded=True)
print("ready", flush=True)
server.serve_forever()
