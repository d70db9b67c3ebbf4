"""A mail server: CERTIFICATE KEY INBOX USER PASSWORD STARTTLS_PORT TLS_PORT.

Takes mail by TLS and after a log-in only, and writes each as a file of JSON to the inbox.
"""

import asyncio
import email
import email.policy
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key, inbox, user, password, starttls_port, tls_port = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=good, handled=False, auth_data=data)


class Inbox:
    def __init__(self):
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        headers = {}
        for name, value in message.items():
            headers.setdefault(name.lower(), []).append(str(value))
        mail = {
            "port": server.transport.get_extra_info("sockname")[1],
            "login": session.auth_data.login.decode(),
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": headers,
            "text": message.get_body(("plain",)).get_content(),
        }
        self.count += 1
        path = os.path.join(inbox, f"{self.count:04}")
        with open(path, "w") as file:
            json.dump(mail, file)
        # Whoever reads the inbox sees no half of it.
        os.rename(path, path + ".json")
        return "250 kept"


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    handler = Inbox()
    shared = {"authenticator": authenticate, "auth_required": True, "hostname": "localhost"}

    def by_starttls():
        return SMTP(handler, tls_context=context, require_starttls=True, **shared)

    def by_tls():
        # aiosmtpd calls TLS only what STARTTLS began.
        return SMTP(handler, auth_require_tls=False, **shared)

    await loop.create_server(by_starttls, "127.0.0.1", int(starttls_port))
    await loop.create_server(by_tls, "127.0.0.1", int(tls_port), ssl=context)
    await asyncio.Event().wait()


asyncio.run(main())
