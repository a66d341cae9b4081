"""video/crown.mp4: the crown descends on the giver's picture, a ribbon bears the name.

Five seconds, composed layer by layer in premultiplied colour. Whatever glows
has alpha as high as its brightest channel, so that the clip means the same as
straight alpha. The avatar `[avatar]` and the name `[name]` are put in by the
player, through masks that stand below the alpha in the same frame.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

import vap
from paths import CACHE, SOUNDS, TEST_VIDEO, TEXTURES, VIDEO

W, H, FPS, FRAMES = 540, 640, 30, 150
LAND = 1.30  # seconds; the chord in sounds/crown.ogg falls here too
LEAVE = 4.15
CENTRE = np.array([270.0, 376.0])  # of the avatar
RADIUS = 90.0
BANNER = np.array([270.0, 492.0])
NAME = (126, 469, 288, 46)  # x, y, w, h of the text on the canvas
CROWN_REST = np.array([270.0, 214.0])
CROWN_SCALE = 0.66

VIDEO_W, VIDEO_H = 1088, 832
RGB_FRAME, ALPHA_FRAME = [0, 0, W, H], [548, 0, W, H]
AVATAR_SLOT, NAME_SLOT = (0, 648), (192, 648)
TRUTH = (36, 66, 129)

Y, X = np.mgrid[0:H, 0:W].astype(np.float32) + 0.5
GOLD = np.array([1.0, 0.80, 0.36], np.float32)
WARM = np.array([1.0, 0.62, 0.18], np.float32)
IVORY = np.array([1.0, 0.96, 0.84], np.float32)


def smooth(low, high, v):
    t = np.clip((v - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def spring(t, frequency, damping):
    """0 before the blow, a damped swing after it, 1st swing downwards positive."""
    return np.where(t > 0, np.sin(2 * np.pi * frequency * np.maximum(t, 0)) * np.exp(-damping * np.maximum(t, 0)), 0.0)


def back_out(t, overshoot=1.9):
    t = np.clip(t, 0, 1) - 1
    return 1 + t * t * ((overshoot + 1) * t + overshoot)


class Canvas:
    """Premultiplied colour and alpha, and how much stands before the avatar and the name."""

    def __init__(self):
        self.colour = np.zeros((H, W, 3), np.float32)
        self.alpha = np.zeros((H, W), np.float32)
        self.front = np.zeros((H, W), np.float32)

    def over(self, colour, alpha):
        """`colour` is straight."""
        a = alpha[..., None]
        self.colour = colour * a + self.colour * (1 - a)
        self.alpha = alpha + self.alpha * (1 - alpha)
        self.front = alpha + self.front * (1 - alpha)

    def light(self, amount, tint, where=None):
        """Add light; `where` is (y slice, x slice) for a stamp."""
        where = where or (slice(None), slice(None))
        self.colour[where] += amount[..., None] * tint
        self.front[where] = np.maximum(self.front[where], smooth(0.12, 0.85, amount))

    def clear_front(self):
        self.front[:] = 0

    def finish(self):
        colour = np.clip(self.colour, 0, 1)
        return colour, np.clip(np.maximum(self.alpha, colour.max(-1)), 0, 1)


def stamp_light(canvas, texture, x, y, size, amount, tint, angle=0.0):
    """Add a texture as light, centred at (x, y), `size` pixels wide, sub-pixel exact."""
    half = int(size / 2) + 2
    left, top = int(np.floor(x)) - half, int(np.floor(y)) - half
    n = 2 * half
    x0, x1, y0, y1 = max(left, 0), min(left + n, W), max(top, 0), min(top + n, H)
    if size < 1.5 or amount <= 0.004 or x0 >= x1 or y0 >= y1:
        return
    s = texture.width / size
    c, d = np.cos(angle) * s, np.sin(angle) * s
    cx, cy = x - left, y - top
    m = texture.width / 2
    source = texture if s < 3 else texture.resize((max(8, int(texture.width * 2 / s)),) * 2, Image.LANCZOS)
    k = source.width / texture.width
    tile = source.transform((n, n), Image.AFFINE, (c * k, d * k, (m - c * cx - d * cy) * k, -d * k, c * k, (m + d * cx - c * cy) * k), Image.BILINEAR)
    tile = np.asarray(tile, np.float32)[y0 - top : y1 - top, x0 - left : x1 - left] / 255
    canvas.light(tile * amount, tint, (slice(y0, y1), slice(x0, x1)))


class Scene:
    def __init__(self):
        self.turn = [self.load(p) for p in sorted((CACHE / "crown").glob("turn-*.png"))]
        self.sway = [self.load(p) for p in sorted((CACHE / "crown").glob("sway-*.png"))]
        if not self.turn or not self.sway:
            raise SystemExit("run crown.py first")
        self.star = Image.open(TEXTURES / "star.png").getchannel("A")
        self.dot = Image.open(TEXTURES / "dot.png").getchannel("A")
        rng = np.random.default_rng(77)
        self.dx, self.dy = X - CENTRE[0], Y - CENTRE[1]
        self.r = np.hypot(self.dx, self.dy)
        self.theta = np.arctan2(self.dy, self.dx)
        # Rays spring from between crown and avatar; two combs turn against each other.
        self.ray_r = np.hypot(X - 270, Y - 318)
        self.ray_theta = np.arctan2(Y - 318, X - 270)
        knots = rng.random((2, 360)) ** 3
        self.combs = [ndimage.gaussian_filter1d(k, 2.4, mode="wrap") for k in knots]
        self.combs = [np.clip((k - k.min()) / (k.max() - k.min()) * 1.25 - 0.22, 0, 1) for k in self.combs]
        self.burst = [self.particle(rng) for _ in range(130)]
        self.dust = rng.random((70, 6))
        self.glints = [(rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1)) for _ in range(9)]

    @staticmethod
    def load(path):
        """A sprite as premultiplied floats."""
        p = np.asarray(Image.open(path), np.float32) / 255
        p[..., :3] *= p[..., 3:]
        return p

    @staticmethod
    def particle(rng):
        angle = rng.uniform(0, 2 * np.pi)
        speed = rng.uniform(120, 760) * (0.75 + 0.25 * abs(np.cos(angle)))
        return dict(vx=np.cos(angle) * speed, vy=np.sin(angle) * speed * 0.8 - 130, life=rng.uniform(0.6, 1.7), size=rng.uniform(22, 96) * rng.uniform(0.5, 1), star=rng.random() < 0.62, spin=rng.uniform(-2, 2), hue=rng.random(), beat=rng.uniform(9, 17))

    # Motion ---------------------------------------------------------------

    def crown_pose(self, t):
        """(x, y, scale x, scale y, tilt, turn in degrees, alpha)."""
        x, y = CROWN_REST
        sx = sy = 1.0
        tilt = 0.0
        if t < LAND:
            # Swoops in, hangs, lifts a little to gather weight, falls.
            enter = 1 - (1 - np.clip((t - 0.22) / 0.62, 0, 1)) ** 3
            hover = -84.0
            lift = -20 * smooth(0.80, 1.10, t)
            fall = np.clip((t - 1.10) / (LAND - 1.10), 0, 1) ** 2.2
            offset = (-400 * (1 - enter) + hover + lift) * (1 - fall)
            y += offset
            x += 26 * np.sin((1 - enter) * 2.6)
            tilt = 0.16 * np.sin((1 - enter) * 3.0) - 0.05 * smooth(0.80, 1.08, t) * (1 - fall)
            stretch = 0.09 * np.sin(np.pi * np.clip((t - 1.08) / 0.24, 0, 1)) - 0.05 * smooth(0.84, 1.06, t) * (1 - fall)
            sx, sy = 1 - stretch * 0.6, 1 + stretch
        else:
            s = t - LAND
            squash = 0.17 * np.exp(-9 * s) * np.cos(2 * np.pi * 3.1 * s)
            sx, sy = 1 + 0.8 * squash, 1 - squash
            y += 15 * np.exp(-8 * s) * np.cos(2 * np.pi * 3.1 * s) - 13 * np.exp(-5 * s) * np.sin(2 * np.pi * 1.5 * s) ** 2
            y += 2.2 * np.sin(2 * np.pi * 0.45 * s) * smooth(0.5, 1.2, s)
            tilt = 0.045 * np.exp(-4 * s) * np.sin(2 * np.pi * 2.4 * s) + 0.018 * np.sin(2 * np.pi * 0.4 * s) * smooth(0.5, 1.4, s)
        if t > LEAVE:
            s = t - LEAVE
            sink = 12 * np.sin(np.pi * np.clip(s / 0.26, 0, 1))
            rise = np.clip((s - 0.18) / 0.62, 0, 1) ** 2.4
            y += sink - 340 * rise
            sx *= 1 + 0.05 * sink / 12 - 0.25 * rise
            sy *= 1 - 0.06 * sink / 12 + 0.10 * rise - 0.15 * rise
            tilt += 0.10 * rise
        # A quick spin that comes to rest facing front, then a slow drift; off again with a flourish.
        spin = -250 * (1 - np.clip((t - 0.1) / (LAND - 0.1), 0, 1)) ** 1.7
        drift = 7.5 * np.sin(2 * np.pi * 0.30 * max(0, t - LAND)) * (1 - smooth(LEAVE - 0.2, LEAVE + 0.1, t))
        off = 200 * np.clip((t - LEAVE - 0.05) / 0.8, 0, 1) ** 2
        alpha = smooth(0.20, 0.40, t) * (1 - smooth(LEAVE + 0.48, LEAVE + 0.74, t))
        return x, y, sx, sy, tilt, spin + drift + off, alpha

    def crown_tile(self, t):
        """The crown on the whole canvas, premultiplied; fast moves are blurred over half a frame."""
        x, y, *_ = self.crown_pose(t)
        nx, ny, *_ = self.crown_pose(t + 0.5 / FPS)
        steps = int(np.clip(np.hypot(nx - x, ny - y) / 3, 1, 4))
        total = sum(self.place_crown(t + 0.5 / FPS * i / steps) for i in range(steps)) / steps
        return total

    def place_crown(self, t):
        x, y, sx, sy, tilt, turn, alpha = self.crown_pose(t)
        if alpha <= 0:
            return np.zeros((H, W, 4), np.float32)
        sprite = self.view(turn)
        sh, sw = sprite.shape[:2]
        kx, ky = 1 / (CROWN_SCALE * sx), 1 / (CROWN_SCALE * sy)
        c, s = np.cos(tilt), np.sin(tilt)
        # Squash about the foot of the crown, not its middle.
        foot = 0.84 * sh
        anchor_y = y + (foot - sh / 2) * CROWN_SCALE
        matrix = np.array([[c * ky, -s * ky], [s * kx, c * kx]])  # canvas (row, column) -> sprite
        offset = np.array([foot, sw / 2]) - matrix @ np.array([anchor_y, x])
        out = np.stack([ndimage.affine_transform(sprite[..., k], matrix, offset, (H, W), order=1) for k in range(4)], -1)
        return out * alpha

    def view(self, degrees):
        """The crown from this side; it looks the same after a quarter turn."""
        near = (degrees + 45) % 90 - 45
        reach = len(self.sway) // 2
        if abs(near) < reach:
            low = int(np.floor(near))
            part = near - low
            return self.sway[low + reach] * (1 - part) + self.sway[low + reach + 1] * part
        n = len(self.turn)
        return self.turn[round(near / 90 * n) % n]

    # Layers ---------------------------------------------------------------

    def presence(self, t):
        return smooth(0.0, 0.45, t) * (1 - smooth(LEAVE + 0.25, LEAVE + 0.75, t))

    def avatar_scale(self, t):
        grow = back_out((t - 0.18) / 0.42) if t > 0.18 else 0.0
        shrink = 1 + 0.08 * np.sin(np.pi * np.clip((t - LEAVE - 0.1) / 0.2, 0, 1))
        gone = 1 - np.clip((t - LEAVE - 0.28) / 0.34, 0, 1) ** 2
        bump = 1 - 0.06 * np.exp(-9 * (t - LAND)) * np.cos(18 * (t - LAND)) if t > LAND else 1.0
        return max(0.0, float(grow * shrink * gone * bump))

    def avatar_drop(self, t):
        return 9 * float(spring(np.array(t - LAND), 2.6, 6.5))

    def halo(self, canvas, t):
        """Everything behind the avatar: glow, rays, shock rings."""
        p = self.presence(t)
        landed = smooth(LAND - 0.03, LAND + 0.12, t)
        pulse = 1 + 0.07 * np.sin(2 * np.pi * 1.1 * t)
        wide = np.exp(-((self.ray_r / 175) ** 2)) * 0.30 * p * (0.55 + 0.45 * landed) * pulse
        wide = wide * (1 - smooth(120, 266, self.ray_r))  # gone before the frame ends
        canvas.light(wide, WARM)
        if landed > 0:
            s = t - LAND
            reach = 250 * (0.35 + 0.65 * min(1, 1 - np.exp(-5 * max(s, 0))))
            turns = (self.ray_theta / (2 * np.pi) * 360) % 360
            comb = 0
            for knots, speed in zip(self.combs, (13.0, -9.0)):
                comb = comb + np.interp((turns + speed * s) % 360, np.arange(361), np.append(knots, knots[0]))
            strength = (0.55 + 0.75 * np.exp(-4.5 * max(s, 0))) * landed * p
            rays = comb * strength * np.exp(-((self.ray_r / reach) ** 2) * 1.9) * smooth(20, 120, self.ray_r)
            rays = rays * (1 - smooth(reach * 0.75, min(reach * 1.15, 268), self.ray_r))
            canvas.light(rays.astype(np.float32), GOLD)
        for born, speed, strength in ((LAND, 640, 0.9), (LAND + 0.10, 430, 0.45), (LEAVE + 0.30, 520, 0.5)):
            s = t - born
            if 0 < s < 0.75:
                radius = 70 + speed * (1 - np.exp(-2.6 * s)) / 2.6
                squashed = np.hypot(self.dx, (Y - 330) * 1.25)
                band = np.exp(-((squashed - radius) ** 2) / (2 * (3 + 13 * s) ** 2))
                inner = 0.35 * np.exp(-np.clip(radius - squashed, 0, None) / 38) * (squashed < radius)
                canvas.light(((band + inner) * strength * (1 - s / 0.75) ** 1.6 * (1 - smooth(225, 266, self.ray_r))).astype(np.float32), GOLD)

    def medallion(self, canvas, t):
        """The place of the avatar: a dark disc with a bust, for givers without a picture."""
        scale = self.avatar_scale(t)
        if scale <= 0.02:
            return
        drop = self.avatar_drop(t)
        x, y = self.dx / scale, (self.dy - drop) / scale
        r = np.hypot(x, y)
        disc = np.clip((RADIUS + 3 - r) * scale + 0.5, 0, 1)
        shade = np.clip(0.55 + 0.45 * (-(x * 0.5 + y) / RADIUS), 0.1, 1)[..., None]
        colour = np.array([0.36, 0.08, 0.26]) * shade + np.array([0.10, 0.02, 0.13]) * (1 - shade)
        head = np.clip((30 - np.hypot(x, y + 18)) * scale, 0, 1)
        body = np.clip((52 - np.hypot(x, (y - 74) * 0.92)) * scale, 0, 1)
        bust = (np.maximum(head, body) * np.clip(RADIUS - 5 - r, 0, 1))[..., None] * 0.55
        colour = colour * (1 - bust) + np.array([0.86, 0.62, 0.42]) * bust
        canvas.over(colour.astype(np.float32), disc.astype(np.float32))

    def ring(self, canvas, t):
        """The bevelled gold ring, drawn round by a running light."""
        scale = self.avatar_scale(t)
        if scale <= 0.02:
            return
        drawn = smooth(0.28, 0.92, t)
        x, y = self.dx, self.dy - self.avatar_drop(t)
        r = np.hypot(x, y)
        radius = (RADIUS + 6) * scale
        angle = (np.arctan2(x, -y)) % (2 * np.pi)  # clockwise from the top
        shown = np.clip((drawn * 2 * np.pi * 1.001 - angle) * 30, 0, 1) if drawn < 1 else 1.0
        d = r - radius
        thick = 8.0 * min(1, scale)
        body = np.clip(thick - np.abs(d) + 0.5, 0, 1) * shown
        # Round in section, lit from above left; two bright places run round with time.
        bevel = np.clip(d / thick, -1, 1)
        nz = np.sqrt(np.maximum(0, 1 - bevel**2))
        facing = (x * -0.42 + y * -0.70) / np.maximum(r, 1)
        lit = 0.42 + 0.40 * nz + 0.46 * bevel * facing
        run = np.cos(angle - 1.9 * t) ** 24 * 0.6 + np.cos(angle / 1 + 2.2 - 0.8 * t) ** 40 * 0.4
        lit = lit + 0.55 * np.maximum(0, 0.75 * nz + 0.5 * bevel * facing) ** 14 + run * nz
        colour = np.stack([lit * 1.02, lit * 0.68 + 0.14 * lit**3, lit * 0.16 + 0.40 * lit**4], -1)
        canvas.over(np.clip(colour, 0, 1).astype(np.float32), body.astype(np.float32))
        glow = np.exp(-np.abs(d) / 11) * 0.34 * shown * self.presence(t) * (r > radius - 4)
        glow = glow + np.exp(-((d / 5) ** 2)) * 0.5 * shown * np.exp(-12 * (t - LAND) ** 2)
        canvas.light(glow.astype(np.float32), GOLD)
        if 0.28 < t < 1.0:
            a = drawn * 2 * np.pi
            px, py = CENTRE[0] + radius * np.sin(a), CENTRE[1] - radius * np.cos(a)
            fade = 1 - smooth(0.86, 1.0, t)
            stamp_light(canvas, self.star, px, py, 120, 1.0 * fade, IVORY, t * 3)
            stamp_light(canvas, self.dot, px, py, 90, 0.9 * fade, GOLD)

    def crown(self, canvas, t):
        tile = self.crown_tile(t)
        alpha = tile[..., 3]
        if alpha.max() <= 0:
            return alpha
        colour = tile[..., :3] / np.maximum(alpha, 1e-3)[..., None]
        # Two sweeps of light cross the gold while it rests.
        luma = colour @ np.array([0.3, 0.59, 0.11], np.float32)
        for born in (LAND + 0.55, LAND + 1.9):
            s = (t - born) / 0.7
            if 0 < s < 1:
                line = X + 0.45 * Y - (150 + 430 * s)
                colour = colour + (np.exp(-((line / 20) ** 2)) * (0.16 + 0.75 * luma))[..., None] * IVORY
        heat = 0.75 * np.exp(-7 * (t - LAND)) if t > LAND else 0.0
        colour = colour * (1 + heat)
        canvas.over(np.clip(colour, 0, 1).astype(np.float32), alpha)
        # Bloom from what shines.
        bright = np.maximum(luma - 0.62, 0) * alpha
        small = ndimage.zoom(bright, 0.25, order=1)
        bloom = ndimage.zoom(ndimage.gaussian_filter(small, 3.2), (H / small.shape[0], W / small.shape[1]), order=1)
        canvas.light((bloom * 0.85).astype(np.float32), GOLD)
        x, y, sx, sy, tilt, turn, a = self.crown_pose(t)
        for i, (phase, size) in enumerate(self.glints):  # stones that catch the light in turn
            beat = np.sin(2 * np.pi * (0.55 * t) + phase) ** 24
            angle = (i * np.pi / 4 + np.radians(-turn)) % (2 * np.pi)
            if np.sin(angle) < -0.1 or a < 0.5:
                continue
            gx = x + np.cos(angle) * 118 * sx
            gy = y + (58 + 22 * np.sin(angle) - (86 if i % 3 else 0)) * sy
            stamp_light(canvas, self.star, gx, gy, 84 * size, beat * 0.95 * a, IVORY, 0.25)
        return alpha

    def banner(self, canvas, t):
        """The ribbon unrolls from its middle; returns its opacity for the name's mask."""
        opened = back_out((t - LAND - 0.16) / 0.46, 1.5) if t > LAND + 0.16 else 0.0
        opened *= 1 - smooth(LEAVE + 0.08, LEAVE + 0.42, t)
        if opened <= 0.01:
            return np.zeros((H, W), np.float32)
        half = 176.0 * opened
        there = float(smooth(0.10, 0.42, opened))  # too narrow it would be a block, not a ribbon
        x = X - BANNER[0]
        arch = 7.0 * (x / 176) ** 2
        y = Y - BANNER[1] + arch - 4 - 0.35 * self.avatar_drop(t)
        inside = lambda d: np.clip(d + 0.5, 0, 1)

        def cloth(u, v, tall, base):
            """Silk: sheen along the middle, slow folds, gold hems."""
            fold = 0.10 * np.sin(u / 23 + 1.2 * np.sin(u / 61) + 2.1 * t) * (0.4 + 0.6 * (np.abs(u) / 176) ** 2)
            lit = 0.80 - 0.30 * (v / tall) + 0.20 * np.exp(-(((v + 0.35 * tall) / (0.30 * tall)) ** 2)) + fold
            colour = base[None, None] * lit[..., None]
            hem = np.exp(-(((np.abs(v) - (tall - 6.5)) / 1.9) ** 4))
            gold = np.stack([0.98 * lit + 0.14, 0.74 * lit + 0.10, 0.30 * lit], -1)
            return np.clip(colour * (1 - hem[..., None]) + gold * hem[..., None], 0, 1)

        tall = 31.0
        tail_length = 56 * np.clip(opened, 0, 1)
        for side in (-1, 1):  # tails hang behind and a little lower
            u = x * side - (half - 24)
            v = y - 15 - 5 * np.sin(3.1 * t + u / 26) * np.clip(u / 60, 0, 1)
            notch = tail_length + 24 - 17 * (1 - np.abs(v) / (tall - 3)).clip(0, 1)
            shape = inside(u) * inside(notch - u) * inside(tall - 3 - np.abs(v)) * there
            shadow = 0.55 + 0.45 * smooth(22, 44, u)
            canvas.over((cloth(u * 2, v, tall - 3, np.array([0.62, 0.02, 0.17])) * shadow[..., None]).astype(np.float32), shape.astype(np.float32))
            # The fold between panel and tail.
            fv = y - 8
            fold = inside(u) * inside(24 - u) * inside((tall - 3 + 8) - fv) * inside(fv - (tall - 8) + (24 - u) * 0.2) * there
            canvas.over(np.broadcast_to(np.array([0.26, 0.0, 0.09], np.float32), (H, W, 3)), (fold * (fv > tall - 10)).astype(np.float32) * 0.95)
        panel = inside(half - np.abs(x)) * inside(tall - np.abs(y)) * there
        drop = inside(half - np.abs(x)) * np.exp(-(np.clip(y - tall, 0, None) / 5)) * (y > tall) * 0.30 * there
        canvas.over(np.zeros((H, W, 3), np.float32), drop.astype(np.float32))
        colour = cloth(x, y, tall, np.array([0.88, 0.05, 0.26]))
        edge = 1 - 0.45 * np.exp(-(half - np.abs(x)).clip(0) / 9)
        canvas.over((colour * edge[..., None]).astype(np.float32), panel.astype(np.float32))
        s = (t - LAND - 1.0) / 0.8
        if 0 < s < 1:
            sweep = np.exp(-(((X + 0.5 * Y - 300 - 420 * s + 40) / 22) ** 2)) * panel * 0.4
            canvas.light(sweep.astype(np.float32), IVORY)
        return (panel * inside(half - 10 - np.abs(x)) * (1 - smooth(LEAVE, LEAVE + 0.16, t))).astype(np.float32)

    def sparks(self, canvas, t):
        """The burst at the landing, the dust that falls afterwards, the dissolving at the end."""
        s = t - LAND
        if s > 0:
            for p in self.burst:
                if s > p["life"]:
                    continue
                age = s / p["life"]
                slow = (1 - np.exp(-2.3 * s)) / 2.3
                # From the band's rim, not from one point.
                x, y = 270 + p["vx"] * (slow + 0.10), 300 + p["vy"] * (slow + 0.03) + 130 * s * s
                twinkle = 0.65 + 0.35 * np.sin(p["beat"] * s + 7 * p["hue"])
                border = smooth(4, 44, min(x, W - x)) * smooth(4, 44, min(y, H - y))
                tint = IVORY * (1 - p["hue"] * 0.8) + GOLD * p["hue"] * 0.8
                size = p["size"] * (1 - 0.55 * age) * (1.7 if p["star"] else 1.0)
                stamp_light(canvas, self.star if p["star"] else self.dot, x, y, size, 1.35 * (1 - age) ** 0.9 * twinkle * border, tint, p["spin"] * s)
            flash = np.exp(-((s / 0.085) ** 2)) if s < 0.4 else 0
            if flash > 0.01:
                core = np.exp(-(((X - 270) / 150) ** 2 + ((Y - 290) / 46) ** 2)) * flash
                canvas.light((core * 0.95).astype(np.float32), IVORY)
                stamp_light(canvas, self.star, 270, 288, 500, flash * 0.8, IVORY)
        for x0, y0, speed, size, phase, hue in self.dust:
            born = LAND + 0.1 + 2.4 * phase
            age = t - born
            life = 1.1 + 0.8 * speed
            if not 0 < age < life:
                continue
            x = 60 + 420 * x0 + 14 * np.sin(2.1 * age + 9 * hue)
            up = t > LEAVE and -160 * (t - LEAVE) ** 2 or 0.0
            y = 120 + 380 * y0 + 34 * age * (0.4 + speed) + up
            glow = np.sin(np.pi * age / life) * (0.55 + 0.45 * np.sin(11 * age + 20 * hue))
            border = smooth(4, 50, min(x, W - x)) * smooth(4, 50, min(y, H - y))
            near = np.exp(-((np.hypot(x - 270, y - 330) / 250) ** 4))
            stamp_light(canvas, self.star if hue > 0.45 else self.dot, x, y, 16 + 46 * size, 1.15 * glow * border * near, IVORY * 0.6 + GOLD * 0.4, hue)
        s = t - LEAVE - 0.28
        if 0 < s < 0.6:  # what the avatar was turns to rising light
            for i, p in enumerate(self.burst[:46]):
                a = i * 2.39996
                r0 = RADIUS * np.sqrt(i / 46)
                x = 270 + r0 * np.cos(a) * (1 + 0.5 * s)
                y = CENTRE[1] + r0 * np.sin(a) - (130 + 330 * p["hue"]) * s * (0.4 + s)
                fade = smooth(0, 0.1, s) * (1 - smooth(0.22, 0.56, s))
                stamp_light(canvas, self.star if p["star"] else self.dot, x, y, 0.7 * p["size"] + 10, fade * smooth(4, 60, y), GOLD * 0.5 + IVORY * 0.5, p["spin"] * s)
        if t < 0.5:  # the first point of light
            a = np.sin(np.pi * np.clip(t / 0.42, 0, 1)) ** 1.2
            stamp_light(canvas, self.star, 270, CENTRE[1], 60 + 260 * a, a, IVORY)
            stamp_light(canvas, self.dot, 270, CENTRE[1], 220 * a + 20, 0.8 * a, GOLD)

    # One frame ------------------------------------------------------------

    def frame(self, index):
        """(premultiplied colour, alpha, avatar mask and box or None, name mask or None)."""
        t = index / FPS
        canvas = Canvas()
        self.halo(canvas, t)
        self.medallion(canvas, t)
        canvas.clear_front()
        self.ring(canvas, t)
        crown = self.crown(canvas, t)
        name = self.banner(canvas, t)
        behind_name = canvas.front.copy()
        canvas.clear_front()
        self.sparks(canvas, t)
        sparks = canvas.front.copy()
        before_avatar = 1 - (1 - behind_name) * (1 - sparks)

        avatar = None
        scale = self.avatar_scale(t)
        if scale > 0.08:
            drop = self.avatar_drop(t)
            half = int(np.ceil(RADIUS * min(scale, 1.02)))
            cx, cy = CENTRE[0], CENTRE[1] + drop
            left, top = int(round(cx - half)), int(round(cy - half))
            r = np.hypot(self.dx, self.dy - drop)
            disc = np.clip(RADIUS * min(scale, 1.02) - r + 0.5, 0, 1)
            # The crown's shadow: the dark disc shows through.
            shadow = ndimage.gaussian_filter(ndimage.shift(crown[::4, ::4], (5, 0.6), order=1), 2.5)
            shadow = ndimage.zoom(shadow, 4, order=1)[:H, :W]
            mask = disc * (1 - before_avatar) * (1 - 0.45 * shadow)
            avatar = (mask[top : top + 2 * half, left : left + 2 * half], [left, top, 2 * half, 2 * half])
        x, y, w, h = NAME
        words = name * (1 - sparks)
        words = words[y : y + h, x : x + w] if words.max() > 0.01 else None
        return (*canvas.finish(), avatar, words)


def pack(colour, alpha, avatar, words):
    out = np.zeros((VIDEO_H, VIDEO_W, 3), np.uint8)
    x, y, w, h = RGB_FRAME
    out[y : y + h, x : x + w] = vap.to_bytes(colour)
    x, y, w, h = ALPHA_FRAME
    out[y : y + h, x : x + w] = vap.to_bytes(alpha)[..., None]
    for mask, (x, y) in ((avatar and avatar[0], AVATAR_SLOT), (words, NAME_SLOT)):
        if mask is not None:
            out[y : y + mask.shape[0], x : x + mask.shape[1]] = vap.to_bytes(mask)[..., None]
    return out


def describe(placed):
    """The `vapc` JSON. `placed`: per frame (avatar box or None, whether the name shows)."""
    frames = []
    for i, (box, named) in enumerate(placed):
        objects = []
        if box:
            objects.append({"srcId": "1", "z": 0, "frame": box, "mFrame": [*AVATAR_SLOT, box[2], box[3]], "mt": 0})
        if named:
            objects.append({"srcId": "2", "z": 1, "frame": list(NAME), "mFrame": [*NAME_SLOT, NAME[2], NAME[3]], "mt": 0})
        if objects:
            frames.append({"i": i, "obj": objects})
    return {
        "info": {"v": 2, "f": len(placed), "w": W, "h": H, "videoW": VIDEO_W, "videoH": VIDEO_H, "orien": 0, "fps": FPS, "isVapx": 1, "aFrame": ALPHA_FRAME, "rgbFrame": RGB_FRAME},
        "src": [
            {"srcId": "1", "srcType": "img", "loadType": "net", "srcTag": "[avatar]", "w": 180, "h": 180, "fitType": "centerFull"},
            {"srcId": "2", "srcType": "txt", "loadType": "local", "srcTag": "[name]", "color": "#FFF3C4", "style": "b", "w": NAME[2], "h": NAME[3], "fitType": "fitXY"},
        ],
        "frame": frames,
    }


def straight(colour, alpha):
    c = colour / np.maximum(alpha, 1e-4)[..., None]
    return Image.fromarray(vap.to_bytes(np.dstack([np.where(alpha[..., None] > 0, c, 0), alpha])), "RGBA")


def main():
    scene = Scene()
    placed = []

    def frames():
        for i in range(FRAMES):
            colour, alpha, avatar, words = scene.frame(i)
            placed.append((avatar and avatar[1], words is not None))
            if i in TRUTH:
                folder = TEST_VIDEO / "crown-truth"
                folder.mkdir(parents=True, exist_ok=True)
                straight(colour, alpha).save(folder / f"{i:03}.png", optimize=True)
            yield pack(colour, alpha, avatar, words)

    path = VIDEO / "crown.mp4"
    vap.encode(path, frames(), VIDEO_W, VIDEO_H, FPS, SOUNDS / "crown.ogg", crf=18)
    vap.insert_vapc(path, describe(placed))
    print("video crown", path.stat().st_size)


if __name__ == "__main__":
    main()
