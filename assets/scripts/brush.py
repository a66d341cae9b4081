"""A small painter for drawn characters: smooth shapes, soft shading, locks of hair.

A canvas measures from -`extent` to `extent` along its longer side, y up, and is
painted at twice its final size.
"""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from scipy import ndimage

OVER = 2


def rgb(code):
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], float)


def blend(*stops):
    """A function from 0..1 to a colour, through '#RRGGBB' stops spaced evenly."""
    table = np.array([rgb(s) for s in stops])
    places = np.linspace(0, 1, len(table))
    return lambda t: np.array([np.interp(t, places, table[:, k]) for k in range(3)])


def smooth(points, per=14, closed=True):
    """Catmull-Rom through the points."""
    p = np.asarray(points, float)
    p = np.vstack([p[-1], p, p[0], p[1]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out = []
    for i in range(1, len(p) - 2):
        t = (np.arange(per) / per)[:, None]
        a, b, c, d = p[i - 1], p[i], p[i + 1], p[i + 2]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    if not closed:
        out.append(p[-2][None])
    return np.vstack(out)


def ellipse(x, y, rx, ry, turn=0.0, count=60):
    a = np.linspace(0, 2 * np.pi, count, endpoint=False)
    c, s = np.cos(turn), np.sin(turn)
    u, v = rx * np.cos(a), ry * np.sin(a)
    return np.column_stack([x + c * u - s * v, y + s * u + c * v])


def mirror(points):
    return np.asarray(points, float) * [-1, 1]


class Canvas:
    def __init__(self, width, height=None, extent=1.0):
        self.size = (width * OVER, (height or width) * OVER)
        self.unit = max(self.size) / 2 / extent
        self.image = Image.new("RGBA", self.size, (0, 0, 0, 0))

    def place(self, points):
        """Pixels of points."""
        p = np.asarray(points, float)
        return np.column_stack([self.size[0] / 2 + p[:, 0] * self.unit, self.size[1] / 2 - p[:, 1] * self.unit])

    def grid(self):
        """x and y of every pixel's centre."""
        x = (np.arange(self.size[0]) + 0.5 - self.size[0] / 2) / self.unit
        y = (self.size[1] / 2 - np.arange(self.size[1]) - 0.5) / self.unit
        return np.meshgrid(x, y)

    def mask(self, shape, soft=0.0, clip=None):
        """Coverage of a shape, blurred by `soft` units, inside `clip`'s."""
        layer = Image.new("L", self.size, 0)
        ImageDraw.Draw(layer).polygon([tuple(p) for p in self.place(shape)], fill=255)
        if soft:
            layer = layer.filter(ImageFilter.GaussianBlur(soft * self.unit))
        if clip is not None:
            layer = ImageChops.multiply(layer, clip)
        return layer

    def lay(self, mask, colour, alpha=1.0):
        """Colour (one, or an array over the canvas) through a mask."""
        layer = np.zeros((self.size[1], self.size[0], 4), np.uint8)
        layer[..., :3] = np.clip(rgb(colour) if isinstance(colour, str) else colour, 0, 255)
        layer[..., 3] = np.asarray(mask, float) * alpha
        self.image.alpha_composite(Image.fromarray(layer, "RGBA"))

    def fill(self, shape, colour, soft=0.0, alpha=1.0, clip=None):
        self.lay(self.mask(shape, soft, clip), colour, alpha)

    def line(self, points, width, colour, soft=0.0, alpha=1.0, clip=None, taper=True):
        """A brush stroke along points, thin at its ends."""
        p = np.asarray(points, float)
        ahead = np.gradient(p, axis=0)
        ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
        side = np.column_stack([-ahead[:, 1], ahead[:, 0]])
        t = np.linspace(0, 1, len(p))
        half = (width / 2 * (np.sin(np.pi * t) ** 0.6 if taper else np.ones_like(t)))[:, None]
        self.fill(np.vstack([p + side * half, (p - side * half)[::-1]]), colour, soft, alpha, clip)

    def inside(self, soft=0.0):
        """What is painted so far, as a clip."""
        alpha = self.image.getchannel("A")
        return alpha.filter(ImageFilter.GaussianBlur(soft * self.unit)) if soft else alpha

    def erase(self, mask):
        """Takes away what a mask covers."""
        self.image.putalpha(ImageChops.multiply(self.image.getchannel("A"), ImageChops.invert(mask)))

    def lock(self, root, angle, length, width, bend, tone, hairs=0, rng=None, curl=0.0, steps=12):
        """A tapered lock of hair from `root`, heading `angle`, turning by `bend`
        (and back by `curl` at its tip); `tone` gives its colour along it."""
        t = np.linspace(0, 1, steps + 1)
        heading = angle + bend * t + curl * t**3
        step = length / steps
        x = root[0] + np.concatenate([[0], np.cumsum(np.cos(heading[:-1]) * step)])
        y = root[1] + np.concatenate([[0], np.cumsum(np.sin(heading[:-1]) * step)])
        half = width * np.clip((0.55 + 1.1 * t) * (1 - t) ** 0.75, 0, None)
        nx, ny = -np.sin(heading), np.cos(heading)
        draw = ImageDraw.Draw(self.image)
        left = self.place(np.column_stack([x + nx * half, y + ny * half]))
        right = self.place(np.column_stack([x - nx * half, y - ny * half]))
        for i in range(steps):
            fill = tuple(np.clip(tone(t[i] + 0.5 / steps), 0, 255).astype(int)) + (255,)
            draw.polygon([tuple(left[i]), tuple(left[i + 1]), tuple(right[i + 1]), tuple(right[i])], fill=fill)
        for _ in range(hairs):
            off, light = rng.uniform(-0.8, 0.8), rng.uniform(0.78, 1.22)
            # The side towards the light is the brighter one.
            light += 0.16 * off * (1 if np.cos(angle) < 0 else -1)
            middle = self.place(np.column_stack([x + nx * half * off, y + ny * half * off]))
            end = rng.integers(steps * 2 // 3, steps + 1)
            for i in range(rng.integers(0, 3), end):
                fill = tuple(np.clip(tone(t[i]) * light, 0, 255).astype(int)) + (255,)
                draw.line([tuple(middle[i]), tuple(middle[i + 1])], fill=fill, width=OVER)

    def fur(self, inside, colours, heading, count, length, width, rng, jitter=0.12):
        """Short hairs all over a mask: each takes the colour of `colours` (an
        array over the canvas) at its root and heads where `heading` says."""
        weight = np.asarray(inside)
        rows, columns = np.nonzero(weight > 100)
        draw = ImageDraw.Draw(self.image)
        for k in rng.integers(0, len(rows), count):
            i, j = rows[k], columns[k]
            x, y = (j + 0.5 - self.size[0] / 2) / self.unit, (self.size[1] / 2 - i - 0.5) / self.unit
            angle = heading(x, y) + rng.normal(0, jitter)
            long = length * rng.uniform(0.6, 1.3)
            colour = colours[i, j] * rng.uniform(0.84, 1.15)
            tip = np.array([x + np.cos(angle) * long, y + np.sin(angle) * long])
            across = np.array([-np.sin(angle), np.cos(angle)]) * width * rng.uniform(0.6, 1.2)
            p = self.place(np.array([[x, y] + across, tip, [x, y] - across]))
            draw.polygon([tuple(q) for q in p], fill=tuple(np.clip(colour, 0, 255).astype(int)) + (255,))

    def finished(self, box=None, size=None):
        """The picture at its final size, colour carried on under alpha 0; `box`
        in units (left, bottom, right, top) cuts it."""
        image = self.image
        if box:
            (left, bottom), (right, top) = self.place([box[:2]])[0], self.place([box[2:]])[0]
            image = image.crop((round(left), round(top), round(right), round(bottom)))
        size = size or (image.width // OVER, image.height // OVER)
        p = np.asarray(image, np.float32) / 255
        p = np.dstack([p[..., :3] * p[..., 3:], p[..., 3]])
        planes = [np.asarray(Image.fromarray(p[..., k]).resize(size, Image.LANCZOS)) for k in range(4)]
        alpha = np.clip(planes[3], 0, 1)
        alpha[alpha < 0.006] = 0
        colour = np.clip(np.dstack(planes[:3]) / np.maximum(alpha, 1e-3)[..., None], 0, 1)
        near = ndimage.distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
        colour = colour[tuple(near)]
        return Image.fromarray(np.round(np.dstack([colour, alpha]) * 255).astype(np.uint8), "RGBA")
