"""Starts the ClickHouse server that libchdb.so contains, in the foreground. Called by scripts/engines.

    clickhouse.py LIBCHDB CONFIG DATA PORT    serves HTTP on 127.0.0.1:PORT until SIGTERM or SIGINT, then ends cleanly
    clickhouse.py LIBCHDB --version           prints the server's version

The library serves for as long as its last query runs. That query reads standard input, which is a pipe of our own: as
long as nobody closes its other end, the server lives.
"""

import ctypes
import os
import signal
import sys
import threading

LISTEN_UNTIL_INPUT_ENDS = (
    "SYSTEM START LISTEN HTTP; SELECT count() FROM file('-', 'LineAsString', 'l String') FORMAT Null"
)
STOP = {signal.SIGTERM, signal.SIGINT}


def main(library, *arguments):
    if arguments == ("--version",):
        sys.stdout.buffer.write(run(library, "--query=SELECT version()"))
    else:
        serve(library, *arguments)


def serve(library, config, data, port):
    told = live_until_told()
    run(
        library,
        "--config-file=" + config,
        "--path=" + data,
        "--listen_host=127.0.0.1",
        "--http_port=" + port,
        # A level in the configuration goes unheard; this one is heard.
        "--log-level=warning",
        "--query=" + LISTEN_UNTIL_INPUT_ENDS,
    )
    if not told.is_set():
        sys.exit("ClickHouse ended without being told to")


def live_until_told():
    """Makes standard input a pipe that ends when a signal says so."""
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    # Every thread inherits this, those of the library too: the one that waits is the only one that gets the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    told = threading.Event()

    def wait():
        signal.sigwait(STOP)
        told.set()
        os.close(writing)

    threading.Thread(target=wait, daemon=True).start()
    return told


def run(library, *arguments):
    """Runs ClickHouse with these arguments to its end; gives back what its queries answered."""
    chdb = ctypes.CDLL(library, mode=os.RTLD_NOW | os.RTLD_GLOBAL)
    text = ctypes.c_void_p
    for name in ("chdb_query_cmdline", "chdb_result_error", "chdb_result_buffer"):
        getattr(chdb, name).restype = text
    chdb.chdb_result_length.restype = ctypes.c_size_t
    words = [b"clickhouse", *map(os.fsencode, arguments)]
    result = text(chdb.chdb_query_cmdline(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None)))
    if not result:
        sys.exit("ClickHouse did not start")
    error = chdb.chdb_result_error(result)
    if error:
        sys.exit(ctypes.string_at(error).decode(errors="replace"))
    buffer = chdb.chdb_result_buffer(result)
    return ctypes.string_at(buffer, chdb.chdb_result_length(result)) if buffer else b""


main(*sys.argv[1:])
