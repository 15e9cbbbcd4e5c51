"""An agent with tools: the model calls Python functions, and answers with what they return.

OPENAI_API_KEY=... python examples/agent_tools.py   # needs: pip install "realtime-pcm[client]"
"""

from __future__ import annotations

import asyncio
import json

from realtime_pcm import client_messages, messages
from realtime_pcm.client import Endpoint, connect, openai
from realtime_pcm.objects import ContentPart, ConversationItem, SessionConfig, Tool
from realtime_pcm.terminal import shown_text


def weather(place: str) -> dict[str, object]:
    return {"place": place, "degrees": -3.5}


TOOLS = {"weather": weather}
PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TOOL = Tool(type="function", name="weather", description="The weather of a place now.", parameters=PLACE)
SESSION = SessionConfig(type="realtime", output_modalities=["text"], instructions="Answer in one sentence.", tools=[TOOL])


def output_of(item: ConversationItem) -> ConversationItem:
    try:
        result = TOOLS[str(item.name)](**json.loads(item.arguments or "{}"))
    except Exception as error:  # the model reads it, and may call again
        result = {"error": f"{type(error).__name__}: {error}"}
    return ConversationItem(type="function_call_output", call_id=item.call_id, output=json.dumps(result))


async def ask(server: Endpoint | str, question: str) -> None:
    async with connect(server) as call:
        await call.send(client_messages.SessionUpdate(session=SESSION))
        said = ConversationItem(type="message", role="user", content=[ContentPart(type="input_text", text=question)])
        await call.send(client_messages.ConversationItemCreate(item=said))
        await call.send(client_messages.ResponseCreate())
        async for message in call:
            match message:
                case messages.ResponseTextDelta(delta=str(text)):
                    print(shown_text(text), end="", flush=True)
                case messages.Error(error=error):
                    raise SystemExit(shown_text(f"error: {error}"))
                case messages.ResponseDone(response=response) if response is not None:
                    calls = [item for item in response.output or [] if item.type == "function_call"]
                    if not calls:
                        print()
                        return
                    for item in calls:
                        await call.send(client_messages.ConversationItemCreate(item=output_of(item)))
                    await call.send(client_messages.ResponseCreate())
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(ask(openai("gpt-realtime"), input("Ask about the weather: ")))
