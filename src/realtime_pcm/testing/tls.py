"""A certificate for the loopback server, made on the spot."""

from __future__ import annotations

import ssl

__all__ = ["certificate_for_loopback"]


def certificate_for_loopback() -> tuple[ssl.SSLContext, str]:
    """The context of a server on this machine, and the authority that its clients have to trust, as PEM.

    Both are new each time, and the authority's key is forgotten. Raises ValueError, which says what to install, where trustme is
    not there.
    """
    try:
        import trustme
    except ImportError:
        raise ValueError('a certificate made on the spot needs trustme: pip install "realtime-pcm[testing]"') from None
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context, authority.cert_pem.bytes().decode()
