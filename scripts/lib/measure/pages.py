"""Live pages that are open, as browsers keep them."""

import selectors
import socket
import threading


class Pages:
    """So many pages that take all that comes, until they are closed."""

    def __init__(self, port, count):
        self._selector = selectors.DefaultSelector()
        self._sockets = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(count)]
        self.received = 0
        for page in self._sockets:
            page.sendall(b"GET /-/live HTTP/1.1\r\nHost: x\r\n\r\n")
            self._selector.register(page, selectors.EVENT_READ)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join()
        for page in self._sockets:
            page.close()

    def _take(self):
        while not self._closing.is_set():
            for key, _ in self._selector.select(0.2):
                taken = len(key.fileobj.recv(1 << 20))
                if taken == 0:
                    raise SystemExit("measure: a page was closed")
                self.received += taken
