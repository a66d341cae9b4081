// Requests to the relay. The desk's cookie goes along by itself.

import type {
    Config,
    Control,
    GiftState,
    ListedGift,
    Rates,
    RendererEntry,
    Source,
    StreamEntry,
    StreamStatus,
} from "./wire";

/** A relay that does not answer for so long is not there (milliseconds). */
const PATIENCE = 10_000;

/** The relay's refusal (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
    constructor(
        readonly status: number,
        readonly detail: string,
    ) {
        super(detail);
    }

    /** Whether the desk has to be opened anew. */
    get isSignedOut(): boolean {
        return this.status === 401;
    }
}

async function refusal(response: Response): Promise<Problem> {
    const said: unknown = await response.json().catch(() => null);
    const text = (key: string): string => {
        const value = (said as Record<string, unknown> | null)?.[key];
        return typeof value === "string" ? value : "";
    };
    const detail = text("detail") || text("title") || response.statusText;
    return new Problem(response.status, detail || String(response.status));
}

/** Asks; `null` for an answer without a body. */
async function ask<T>(method: string, path: string, body?: unknown): Promise<T | null> {
    try {
        const response = await fetch(path, {
            method,
            cache: "no-store",
            signal: AbortSignal.timeout(PATIENCE),
            ...(body === undefined
                ? {}
                : {
                      headers: { "Content-Type": "application/json" },
                      body: JSON.stringify(body),
                  }),
        });
        if (!response.ok) throw await refusal(response);
        return response.status === 204 ? null : ((await response.json()) as T);
    } catch (error) {
        if (error instanceof Problem) throw error;
        // Not reached, or an answer that breaks off.
        throw new Problem(0, error instanceof Error ? error.message : String(error));
    }
}

/** Trades the code that `hyperfocus desk` printed for the desk's cookie. */
export const signIn = (code: string) => ask("POST", "/desk/session", { code });

export const signOut = () => ask("DELETE", "/desk/session");

export async function streams(): Promise<StreamEntry[]> {
    const answer = await ask<{ streams: StreamEntry[] }>("GET", "/v1/streams");
    return answer?.streams ?? [];
}

/** None at a relay that knows of no sources at all. */
export async function sources(): Promise<Source[]> {
    try {
        const answer = await ask<{ sources: Source[] }>("GET", "/v1/sources");
        return answer?.sources ?? [];
    } catch (error) {
        if (error instanceof Problem && error.status === 404) return [];
        throw error;
    }
}

/** Where nobody has told a status yet. */
const UNTOLD: StreamStatus = { isLive: false, viewerCount: 0, startedAt: null, currentGoal: null };

/** What can be asked about one stream. */
export class StreamApi {
    private readonly base: string;
    private turn: Promise<unknown> = Promise.resolve();

    constructor(readonly id: string) {
        this.base = `/v1/streams/${encodeURIComponent(id)}`;
    }

    get eventsUrl(): string {
        return `${this.base}/events`;
    }

    /** The latest status; `null` when nobody told one yet. */
    status = () => ask<StreamStatus>("GET", `${this.base}/status`);

    /**
     * Changes a part of the status; what others have told meanwhile, viewers for one, stays.
     * A goal or a start that is left out stays at the relay, and `null` removes it.
     */
    changeStatus = (change: (told: StreamStatus) => Partial<StreamStatus>): Promise<StreamStatus> =>
        this.inTurn(async () => {
            const told = (await this.status()) ?? UNTOLD;
            const { isLive, viewerCount } = told;
            const changed = { isLive, viewerCount, ...change(told) };
            // Of the stream that begins, and not of the one before it.
            const isOn = told.isLive && told.startedAt !== null;
            if (changed.isLive && !isOn) changed.startedAt = new Date().toISOString();
            await ask("PUT", `${this.base}/status`, changed);
            return { ...told, ...changed };
        });

    config = () => ask<Config>("GET", `${this.base}/config`);

    patchConfig = (patch: Partial<Config>) =>
        this.inTurn(() => ask<Config>("PATCH", `${this.base}/config`, patch));

    /** The newest gifts, newest first. */
    async gifts(limit: number, state: GiftState | null): Promise<ListedGift[]> {
        const query = new URLSearchParams({ order: "latest", limit: String(limit) });
        if (state) query.set("state", state);
        const answer = await ask<{ gifts: ListedGift[] }>("GET", `${this.base}/gifts?${query}`);
        return answer?.gifts ?? [];
    }

    /** Sends a parked gift once more. */
    resend = (giftId: string) => ask("POST", `${this.gift(giftId)}/resend`);

    /** Ends a parked gift without showing it. */
    dismiss = (giftId: string) => ask("POST", `${this.gift(giftId)}/dismiss`);

    private gift(id: string): string {
        return `${this.base}/gifts/${encodeURIComponent(id)}`;
    }

    async renderers(): Promise<RendererEntry[]> {
        const path = `${this.base}/renderers`;
        const answer = await ask<{ renderers: RendererEntry[] }>("GET", path);
        return answer?.renderers ?? [];
    }

    rates = (rates: number[]) => ask<Rates>("GET", `${this.base}/rates?rates=${rates.join(",")}`);

    /** How many renderers were told. */
    async control(control: Control): Promise<number> {
        const path = `${this.base}/control`;
        const answer = await this.inTurn(() => ask<{ renderers: number }>("POST", path, control));
        return answer?.renderers ?? 0;
    }

    /** What was pressed first happens first: two requests at once may overtake each other. */
    private inTurn<T>(send: () => Promise<T>): Promise<T> {
        const sent = this.turn.then(send, send);
        this.turn = sent;
        return sent;
    }
}
