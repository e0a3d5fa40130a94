# pip install aiogram
import asyncio
import os
import uuid
from datetime import datetime, timezone

import aiohttp
from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.client.session.middlewares.base import BaseRequestMiddleware
from aiogram.methods import SendMessage
from aiogram.types import Message

HEADERS = {"Authorization": "Bearer {{KEY}}"}


async def record(chat: int, actor: str, event_id: str, **more) -> None:
    """Records one event; a repeated one is stored once."""
    event = {
        "event_id": event_id,
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "channel": "telegram",
        "session_id": str(chat),
        "actor": actor,
        "action": "message",
        **more,
    }
    async with aiohttp.ClientSession(headers=HEADERS) as letopis:
        for attempt in range(5):
            try:
                async with letopis.post("{{EVENTS_URL}}", json=event) as answer:
                    if answer.status != 429 and answer.status < 500:
                        answer.raise_for_status()
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(2**attempt)


class RecordClient(BaseMiddleware):
    """What the client writes. Telegram may deliver an update again: the id is made of it."""

    async def __call__(self, handler, message: Message, data):
        name = f"{message.chat.id}/{message.message_id}"
        event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        await record(message.chat.id, "client", event_id, user_text=message.text or message.caption or "")
        return await handler(message, data)


class RecordBot(BaseRequestMiddleware):
    """What the bot answers."""

    async def __call__(self, make_request, bot, method):
        answer = await make_request(bot, method)
        if isinstance(method, SendMessage):
            await record(method.chat_id, "assistant", str(uuid.uuid4()), assistant_response=method.text)
        return answer


def watch(bot: Bot, dispatcher: Dispatcher) -> None:
    """Call it once, before the bot starts."""
    dispatcher.message.outer_middleware(RecordClient())
    bot.session.middleware(RecordBot())


async def main() -> None:
    bot, dispatcher = Bot(os.environ["BOT_TOKEN"]), Dispatcher()
    watch(bot, dispatcher)

    @dispatcher.message()
    async def answer(message: Message) -> None:
        await message.answer("Здравствуйте! На какой день вас записать?")

    await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
