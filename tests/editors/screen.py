"""A program on a terminal of its own: keys go in, the screen is read, and a picture is made where one is wanted.

Needs pyte; pictures need Pillow and the DejaVu fonts.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

# What pyte would print instead of obeying: requests of the terminal's state, strings of its control, colons in colours.
UNKNOWN = re.compile(rb"\x1bP.*?\x1b\\|\x1b_.*?\x1b\\|\x1b\[[?>=<][0-9;]*(?:\$p|[cmnqu])|\x1b\[[0-9;]* q|\x1b\[[0-9]+;[0-9;]*t", re.S)
UNDERLINE = re.compile(rb"\x1b\[([0-9;:]*:[0-9;:]*)m")


def plain_style(match):
    """Styles that pyte does not know: `4:3` is an underline, `58:…` its colour."""
    parts = []
    for part in match[1].split(b";"):
        name, colon, _ = part.partition(b":")
        if not colon:
            parts.append(part)
        elif name == b"4":
            parts.append(b"4" if part != b"4:0" else b"24")
        elif name in (b"38", b"48"):
            numbers = [number for number in part.split(b":") if number]
            parts.append(b";".join(numbers))
    return b"\x1b[" + b";".join(parts) + b"m" if parts else b""


class Screen:
    """A running program and what it shows."""

    def __init__(self, command, environment=None, columns=100, rows=30, folder=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.rest = b""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            if folder:
                os.chdir(folder)
            terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            os.execvpe(command[0], command, {**os.environ, **(environment or {}), **terminal})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            os.waitpid(self.process, 0)
        except ChildProcessError:
            pass
        os.close(self.terminal)

    def read(self, seconds):
        """Takes in what the program writes within some time; says whether it wrote."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            return False
        data = UNDERLINE.sub(plain_style, UNKNOWN.sub(b"", self.rest + data))
        # A sequence that is cut off waits for its end.
        start = data.rfind(b"\x1b")
        is_cut = start >= 0 and not re.match(rb"\x1b(?:\[[0-9;:?<>=$ ]*[@-~]|[()*+].|[^P_\[()*+])", data[start:])
        self.rest = data[start:] if is_cut else b""
        self.stream.feed(data[: len(data) - len(self.rest)])
        return True

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, text, seconds=240):
        """Waits until the screen shows a text and is quiet."""
        end = time.monotonic() + seconds
        while text not in self.text():
            if time.monotonic() > end:
                raise AssertionError(f"not shown within {seconds} s: {text}\n{self.text()}")
            self.read(0.1)
        while self.read(0.15) and time.monotonic() < end:
            pass

    def wait_gone(self, text, seconds=240):
        end = time.monotonic() + seconds
        while text in self.text():
            if time.monotonic() > end:
                raise AssertionError(f"still shown after {seconds} s: {text}\n{self.text()}")
            self.read(0.1)

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def end(self, seconds=120):
        """Waits until the program ends by itself; its exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"still running\n{self.text()}")

    def picture(self, path, foreground="e0e2ea", background="14161b", size=26):
        """The screen as a PNG."""
        from PIL import Image, ImageDraw, ImageFont

        folder = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono"
        fonts = {(bold, italic): ImageFont.truetype(f"{folder}{'-' if bold or italic else ''}{'Bold' * bold}{'Oblique' * italic}.ttf", size)
                 for bold in (False, True) for italic in (False, True)}
        width = round(fonts[False, False].getlength("M"))
        height = round(size * 1.32)
        margin = size // 2
        columns, rows = self.screen.columns, self.screen.lines
        image = Image.new("RGB", (columns * width + 2 * margin, rows * height + 2 * margin), f"#{background}")
        draw = ImageDraw.Draw(image)
        names = {"black": "07080d", "red": "ffc0b9", "green": "b3f6c0", "brown": "fce094", "blue": "a6dbff", "magenta": "ffcaff",
                 "cyan": "8cf8f7", "white": "eef1f8"}

        def colour(name, default):
            if name == "default":
                name = default
            name = names.get(name.removeprefix("bright"), name)
            return f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else f"#{default}"

        for row in range(rows):
            for column in range(columns):
                cell = self.screen.buffer[row][column]
                ink, paper = colour(cell.fg, foreground), colour(cell.bg, background)
                if cell.reverse:
                    ink, paper = paper, ink
                x, y = margin + column * width, margin + row * height
                draw.rectangle([x, y, x + width - 1, y + height - 1], fill=paper)
                if cell.underscore:
                    draw.line([x, y + height - 3, x + width - 1, y + height - 3], fill=ink, width=2)
                if cell.data.strip():
                    draw.text((x, y + (height - size) // 3), cell.data, font=fonts[cell.bold, cell.italics], fill=ink)
        image.quantize(64).save(path, optimize=True)
