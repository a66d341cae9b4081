// The shapes of what the relay says. Only what the desk reads is named.

/** One entry of `GET /v1/streams`. */
export interface StreamEntry {
    id: string;
    hosts: number;
    viewers: number;
    unsettled: number;
}

/** The payload of `stream:status`. */
export interface StreamStatus {
    isLive: boolean;
    viewerCount: number;
    startedAt: string | null;
    currentGoal: Goal | null;
}

export interface Goal {
    type: string;
    target: number;
    current: number;
    description: string;
}

/** What a stream grants its renderers. */
export interface Config {
    maxGiftsPerSecond: number;
    /** Milliseconds. */
    pingInterval: number;
    features: string[];
}

/** The payload of `gift:received`. */
export interface Gift {
    giftId: string;
    giftType: string;
    quantity: number;
    sender: { userId: string; username: string };
    metadata?: { isStreak?: boolean; comboCount?: number };
}

export type GiftState = "unacked" | "rendered" | "failed" | "parked";

/** One gift as `GET gifts` lists it. */
export interface ListedGift {
    giftId: string;
    state: GiftState;
    error: string | null;
    acceptedAt: string;
    gift: Gift;
}

/** The event `ended`. */
export interface Ended {
    giftId: string;
    state: GiftState;
    error: string | null;
}

/** A host and a viewer of one `clientId` are two. */
export interface RendererName {
    clientId: string;
    clientType: "host" | "viewer";
}

export function isSameRenderer(one: RendererName, other: RendererName): boolean {
    return one.clientId === other.clientId && one.clientType === other.clientType;
}

/** One entry of `GET renderers`. */
export interface RendererEntry extends RendererName {
    since: string;
    /** Whether it takes `x-control`. */
    controls: boolean;
    pong: Pong | null;
    telemetry: Telemetry | null;
}

export interface Pong {
    /** Milliseconds. */
    latency: number;
    /** Megabytes. */
    memory: number;
    queueSize: number;
}

/** The payload of `x-telemetry`. */
export interface Telemetry {
    /** Milliseconds. */
    frameTime: Percentiles;
    fps: number;
    lanes: { headline: number; feature: number; ambient: number };
    /** Seconds. */
    waitTime: Percentiles;
    waiting: { count: number; gifts: WaitingGift[] };
    outcomes: Record<Outcome, number>;
    paused: boolean;
    doNotDisturb: boolean;
    muted: boolean;
    /** 0 to 1. */
    volume: number;
}

export type Outcome =
    | "played"
    | "joinedStreak"
    | "joinedBundle"
    | "refused"
    | "failed"
    | "dismissed";

export interface Percentiles {
    p50: number;
    p95: number;
}

export interface WaitingGift {
    giftId: string;
    giftType: string;
    sender: string;
    quantity: number;
    held: boolean;
    /** Seconds. */
    waited: number;
}

/** The event `figures`, once a second. */
export interface Figures {
    at: string;
    /** Gifts accepted in that second. */
    in: number;
    /** Gifts rendered in that second. */
    out: number;
    unsettled: number;
    parked: number;
    hosts: number;
    viewers: number;
}

export type SourceState = "connecting" | "connected" | "waiting" | "ended";

/** One entry of `GET /v1/sources`. */
export interface Source {
    name: string;
    kind: string;
    stream: string;
    state: SourceState;
    since: string;
    lastEventAt: string | null;
    events: number;
    gifts: number;
    ignored: number;
    error: string | null;
}

/** What one rate would have meant for the last minutes' gifts. */
export interface RateFigures {
    rate: number;
    /** Seconds. */
    waitP50: number;
    waitP95: number;
    waitMax: number;
    /** Shares, 0 to 1. Answered is what was seen within 3 s, and not folded with others. */
    answeredShare: number;
    foldedShare: number;
    refusedShare: number;
    /** Share of the time with something on screen. */
    coverage: number;
}

/** `GET rates`. */
export interface Rates {
    /** How many gifts were judged. */
    gifts: number;
    /** Over how long. */
    seconds: number;
    rates: RateFigures[];
    recommended: { rate: number; reason: string } | null;
}

/** The payload of `x-control`. */
export type Control =
    | { action: "pause" | "resume" | "clear" }
    | { action: "skip" | "replay"; giftId?: string }
    | { action: "hold" | "release"; giftId: string }
    | { action: "mute" | "do-not-disturb"; on: boolean }
    | { action: "volume"; level: number }
    | { action: "test"; giftType: string; quantity: number }
    /** So many messages, of one gift each. */
    | { action: "test"; giftType: string; streak: number };
