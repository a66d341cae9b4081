// The stream's server-sent events, over connections that come and go.

import { Problem, streams } from "./api";

/** How the connection to the relay stands. */
export type LinkState =
    | { is: "connecting" }
    | { is: "open" }
    /** Gone; the next try comes at `retryAt` (milliseconds since 1970). */
    | { is: "lost"; retryAt: number };

export interface Listener {
    link(state: LinkState): void;
    /** A connection stands: whatever was missed has to be fetched now. */
    opened(): void;
    event(name: EventName, data: string): void;
    /** The relay does not know this desk any more. */
    signedOut(): void;
}

const EVENT_NAMES = [
    "gift",
    "ended",
    "status",
    "config",
    "joined",
    "left",
    "pong",
    "telemetry",
    "figures",
    "source",
    "missed",
] as const;

export type EventName = (typeof EVENT_NAMES)[number];

/** Milliseconds; a relay on the same machine is back soon. */
const FIRST_RETRY = 500;
const LONGEST_RETRY = 15_000;

/**
 * Figures come once a second. When they have come and then stay away for so
 * long (milliseconds), the connection is dead, even where nobody said so.
 */
const SILENCE = 12_000;

/** A connection that comes again by itself until it is closed. */
export class Events {
    private source: EventSource | null = null;
    private retry = FIRST_RETRY;
    private timer = 0;
    private watchdog = 0;

    constructor(
        private readonly url: string,
        private readonly listener: Listener,
    ) {
        this.connect();
    }

    close(): void {
        clearTimeout(this.timer);
        this.timer = 0;
        clearTimeout(this.watchdog);
        this.source?.close();
        this.source = null;
    }

    /** Whether it stays away until it is told to connect. */
    get isClosed(): boolean {
        return this.source === null && this.timer === 0;
    }

    /** Tries at once instead of waiting. */
    connect(): void {
        this.close();
        this.listener.link({ is: "connecting" });
        const source = new EventSource(this.url);
        this.source = source;
        source.addEventListener("open", () => {
            this.retry = FIRST_RETRY;
            this.listener.link({ is: "open" });
            this.listener.opened();
        });
        source.addEventListener("error", () => void this.lost());
        for (const name of EVENT_NAMES) {
            source.addEventListener(name, (event) => {
                if (name === "figures") this.heard();
                this.listener.event(name, String((event as MessageEvent).data));
            });
        }
    }

    private heard(): void {
        clearTimeout(this.watchdog);
        this.watchdog = window.setTimeout(() => void this.lost(), SILENCE);
    }

    private async lost(): Promise<void> {
        this.close();
        // Full jitter: the desks of a crowd do not all come back at once.
        const wait = this.retry / 2 + (Math.random() * this.retry) / 2;
        this.retry = Math.min(this.retry * 2, LONGEST_RETRY);
        this.listener.link({ is: "lost", retryAt: Date.now() + wait });
        this.timer = window.setTimeout(() => this.connect(), wait);
        // An event source does not say why it failed; another request does.
        const why = await streams().then(
            () => null,
            (error: unknown) => error,
        );
        if (why instanceof Problem && why.isSignedOut) {
            this.close();
            this.listener.signedOut();
        }
    }
}
