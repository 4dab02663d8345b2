"""A host of core modules: WASI preview 1 and the import `clawft_http`.

`core_host.py [--dir HOST::GUEST]… [--env NAME=VALUE]… [--user NUMBER] MODULE ARGUMENT…` runs a
program. Others take `Http` and `linker` from here. It needs PyPI's `wasmtime`; what it does about HTTP is all that a host
has to do, in any language. `agent/src/platform/wasi_p1/protocol.rs` draws what goes over.
"""

import http.client
import os
import pathlib
import select
import socket
import ssl
import struct
import sys
import time
import urllib.parse

import wasmtime

OPEN, WRITE, READ, CLOSE, WHY = range(5)
STREAM = 0xFFFFFFFF
BAD_URL, DENIED, UNREACHABLE, TLS, TIMEOUT, BROKEN, MALFORMED, OTHER = range(-401, -409, -1)


class Refused(Exception):
    """A code and a sentence."""

    def __init__(self, code, why=""):
        super().__init__(why)
        self.code = code


class Exchange:
    """One request and its answer."""

    def __init__(self, request, memory, hosts):
        (_, method, url, url_len, headers, headers_len, body, self.body_len, *limits) = request
        self.connect, self.first, self.between, total = (limit / 1000 for limit in limits)
        self.end = time.monotonic() + total
        self.method = {1: "GET", 2: "POST"}[method]
        try:
            url = urllib.parse.urlsplit(memory(url, url_len).decode())
            is_secure, host, port = url.scheme == "https", url.hostname, url.port
        except ValueError as why:
            raise Refused(BAD_URL, str(why)) from why
        if hosts is not None and host not in hosts:
            raise Refused(DENIED)
        self.reach(host, port or (443 if is_secure else 80), is_secure)
        path = url._replace(scheme="", netloc="").geturl()
        head = f"{self.method} {path} HTTP/1.1\r\nhost: {url.netloc}\r\n".encode()
        head += memory(headers, headers_len)
        if self.body_len == STREAM:
            head += b"transfer-encoding: chunked\r\n"
        self.send(head + b"\r\n")
        if self.body_len != STREAM:
            self.send(memory(body, self.body_len))
        self.answer, self.head = None, b""

    def left(self, limit):
        """Seconds that the next step may take."""
        left = min(limit, self.end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        return left

    def reach(self, host, port, is_secure):
        try:
            self.socket = socket.create_connection((host, port), self.left(self.connect))
        except TimeoutError:
            raise
        except OSError as why:
            raise Refused(UNREACHABLE, why.strerror or str(why)) from why
        if is_secure:
            self.socket.settimeout(self.left(self.connect))
            context = ssl.create_default_context()
            try:
                self.socket = context.wrap_socket(self.socket, server_hostname=host)
            except ssl.SSLError as why:
                raise Refused(TLS, why.reason or "") from why

    def send(self, data):
        """Sends all of it; false where an answer is there before, or nobody to take it."""
        rest = memoryview(data)
        while rest:
            wait = self.left(float("inf"))
            read, write, _ = select.select([self.socket], [self.socket], [], wait)
            if read and not isinstance(self.socket, ssl.SSLSocket):
                return False
            if not write:
                raise TimeoutError
            try:
                rest = rest[self.socket.send(rest[:65536]) :]
            except OSError:
                return False
        return True

    def write(self, data):
        if not data:
            self.send(b"0\r\n\r\n")
            return 0
        return len(data) if self.send(b"%x\r\n%s\r\n" % (len(data), data)) else 0

    def read(self, most):
        if not self.answer:
            self.socket.settimeout(self.left(self.first))
            self.answer = http.client.HTTPResponse(self.socket, method=self.method)
            self.answer.begin()
            lines = [f"HTTP/1.1 {self.answer.status} {self.answer.reason}"]
            lines += [f"{name}: {value}" for name, value in self.answer.headers.items()]
            self.head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if self.head:
            part, self.head = self.head[:most], self.head[most:]
            return part
        self.socket.settimeout(self.left(self.between))
        part = self.answer.read1(most)
        if not part and self.answer.length:
            raise ConnectionError("fewer bytes than were said")
        return part


class Http:
    """The import, for one instance. It gets hosts that may be asked; none: all may."""

    def __init__(self, hosts=None):
        self.hosts, self.open, self.why = hosts, {}, b""

    def call(self, caller, op, handle, place, length):
        bytes_ = caller["memory"]
        memory = lambda at, length: bytes(bytes_.read(caller, at, at + length))
        try:
            if op == OPEN:
                request = struct.unpack("<12I", memory(place, 48))
                handle = max(self.open, default=-1) + 1
                self.open[handle] = Exchange(request, memory, self.hosts)
                return handle
            if op == WHY:
                part = self.why[:length]
            elif op == CLOSE:
                self.open.pop(handle).socket.close()
                return 0
            elif op == WRITE:
                return self.open[handle].write(memory(place, length))
            elif op == READ:
                part = self.open[handle].read(length)
            else:
                raise Refused(OTHER, "there is no such operation")
            bytes_.write(caller, part, place)
            return len(part)
        except TimeoutError:
            return self.refuse(TIMEOUT, "")
        except Refused as why:
            return self.refuse(why.code, str(why))
        except (ConnectionError, http.client.IncompleteRead) as why:
            return self.refuse(BROKEN, getattr(why, "strerror", None) or "")
        except http.client.HTTPException as why:
            return self.refuse(MALFORMED, type(why).__name__)
        except (OSError, KeyError) as why:
            return self.refuse(OTHER, str(why))

    def refuse(self, code, why):
        self.why = why.encode()
        return code


def linker(engine, http):
    """What an instance imports."""
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    i32 = wasmtime.ValType.i32()
    linker.define_func(
        "clawft",
        "clawft_http",
        wasmtime.FuncType([i32] * 4, [i32]),
        lambda caller, op, handle, place, length: http.call(
            caller, op, handle & 0xFFFFFFFF, place & 0xFFFFFFFF, length & 0xFFFFFFFF
        ),
        access_caller=True,
    )
    return linker


def wasi(folders, variables, arguments=()):
    config = wasmtime.WasiConfig()
    config.argv, config.env = arguments, variables
    for host, guest in folders:
        config.preopen_dir(str(host), guest)
    return config


def module(engine, path):
    """Compiled, or read from where it was compiled before."""
    compiled = pathlib.Path(path).with_suffix(".cwasm")
    if compiled.exists():
        return wasmtime.Module.deserialize_file(engine, str(compiled))
    return wasmtime.Module.from_file(engine, path)


def main():
    words, folders, variables, user = sys.argv[1:], [], [], None
    while words[0] in ("--dir", "--env", "--user"):
        option, value, *words = words
        if option == "--dir":
            folders.append(value.split("::"))
        elif option == "--env":
            variables.append(value.split("=", 1))
        else:
            user = int(value)
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    config = wasi(folders, variables, words)
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    store.set_wasi(config)
    code = module(engine, words[0])
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    instance = linker(engine, Http()).instantiate(store, code)
    try:
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as exit:
        sys.exit(exit.code)
    except wasmtime.Trap as trap:
        sys.exit(str(trap))


if __name__ == "__main__":
    main()
