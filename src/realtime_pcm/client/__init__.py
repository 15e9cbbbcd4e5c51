"""A call in ten lines, at the least cost: a WebSocket on picows, decoded as it comes in.

    from realtime_pcm import client_messages
    from realtime_pcm.client import connect, openai

    async with connect(openai("gpt-realtime")) as call:
        await call.send(client_messages.SessionUpdate(session={"type": "realtime", "instructions": "Be brief."}))
        await call.send_audio(pcm)
        async for message in call: ...

Needs the extra `client`; asyncio only. `import realtime_pcm` imports neither this module nor asyncio.
"""

from .call import Call, connect
from .endpoints import Endpoint, Key, azure, dashscope, elevenlabs, gemini, openai, voice_live, xai
from .errors import CallClosed, CallError, CallRefused

__all__ = [
    "Call",
    "CallClosed",
    "CallError",
    "CallRefused",
    "Endpoint",
    "Key",
    "azure",
    "connect",
    "dashscope",
    "elevenlabs",
    "gemini",
    "openai",
    "voice_live",
    "xai",
]
