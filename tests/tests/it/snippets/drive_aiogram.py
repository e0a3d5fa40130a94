"""Lets the bot of the example meet a client, with Telegram played by a session that answers what it is asked."""

import asyncio
import importlib.util
import sys
from datetime import datetime, timezone

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.types import Chat, Message, Update, User


class Telegram(BaseSession):
    async def close(self):
        pass

    async def stream_content(self, *_args, **_kwargs):
        yield b""

    async def make_request(self, bot, method, timeout=None):
        chat = Chat(id=method.chat_id, type="private")
        return Message(message_id=2, date=datetime.now(timezone.utc), chat=chat, text=method.text).as_(bot)


async def main(snippet):
    spec = importlib.util.spec_from_file_location("snippet", snippet)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bot, dispatcher = Bot("1:token", session=Telegram()), Dispatcher()
    module.watch(bot, dispatcher)

    @dispatcher.message()
    async def answer(message: Message):
        await message.answer("На какой день вас записать?")

    client = User(id=5550001, is_bot=False, first_name="Анна")
    chat = Chat(id=5550001, type="private")
    said = Message(message_id=1, date=datetime.now(timezone.utc), chat=chat, from_user=client, text="Хочу записаться")
    for _again in range(2):
        await dispatcher.feed_update(bot, Update(update_id=1, message=said))


asyncio.run(main(sys.argv[1]))
