// What the desk knows of the relay, and who is told when that changes.

import { Problem, StreamApi, sources, streams } from "./api";
import { Events, type EventName, type LinkState } from "./events";
import { History } from "./history";
import { isSameRenderer } from "./wire";
import type {
    Config,
    Ended,
    Figures,
    Gift,
    ListedGift,
    Pong,
    RendererEntry,
    RendererName,
    Source,
    StreamEntry,
    StreamStatus,
    Telemetry,
} from "./wire";

/** Gifts that are listed; the oldest makes room for the newest. */
export const RECENT = 50;

/** Renderers that are shown. A crowd of viewers is counted, not listed. */
const MAX_RENDERERS = 50;

/** How often streams, and what could not be had, are asked for (milliseconds). */
const AGAIN_EVERY = 15_000;

/** Renderers join in crowds; they are asked about at most so often (milliseconds). */
const RENDERERS_EVERY = 250;

/**
 * A browser has six connections to a relay for all its tabs. One that nobody has
 * looked at for so long gives up its own until somebody does (milliseconds).
 */
const UNSEEN = 5 * 60_000;

/** What is asked for with each connection; events keep it up to date. */
const FETCHED = ["streams", "status", "config", "gifts", "renderers", "sources"] as const;

type Fetched = (typeof FETCHED)[number];

/** Which answer the events of a name bring up to date. */
const UPDATES: Partial<Record<EventName, Fetched>> = {
    gift: "gifts",
    ended: "gifts",
    status: "status",
    config: "config",
    pong: "renderers",
    telemetry: "renderers",
    source: "sources",
};

/** Events that are kept while an answer is on its way; the oldest is let go. */
const MAX_MEANWHILE = 1_000;

/** A question on its way, and what happened since it was asked. */
interface Asking {
    meanwhile: { name: EventName; data: string }[];
    /** What it asks for was wanted anew: its answer may be too old. */
    again: boolean;
}

export type Topic = Fetched | "link" | "ended" | "figures";

/** One stream, seen through one relay. */
export class Desk {
    link: LinkState = { is: "connecting" };
    streams: StreamEntry[] | null = null;
    status: StreamStatus | null = null;
    config: Config | null = null;
    /** Newest first. */
    gifts: ListedGift[] | null = null;
    renderers: RendererEntry[] | null = null;
    sources: Source[] | null = null;
    figures: Figures | null = null;
    readonly history = new History();

    /** Why what could not be fetched could not. */
    private readonly troubles = new Map<Fetched, Problem>();
    /** One question of each kind, so that no older answer comes after a newer one. */
    private readonly asking = new Map<Fetched, Asking>();
    private chosenRenderer: RendererName | null = null;
    private events: Events | null = null;
    private readonly watchers: { topics: readonly Topic[]; draw: () => void }[] = [];
    private readonly stale = new Set<Topic>();
    private frame = 0;
    private renderersTimer = 0;
    private againTimer = 0;
    private unseenTimer = 0;
    private readonly looked = () => this.look();

    constructor(
        readonly api: StreamApi,
        private readonly onSignedOut: () => void,
    ) {}

    start(): void {
        this.events = new Events(this.api.eventsUrl, {
            link: (state) => {
                this.link = state;
                this.tell("link");
            },
            opened: () => void this.refresh(),
            event: (name, data) => this.take(name, data),
            signedOut: this.onSignedOut,
        });
        this.againTimer = window.setInterval(() => {
            if (this.link.is !== "open" || document.hidden) return;
            for (const topic of new Set<Fetched>(["streams", ...this.troubles.keys()])) void this.fetch(topic);
        }, AGAIN_EVERY);
        document.addEventListener("visibilitychange", this.looked);
        // It may have been opened behind another.
        if (document.hidden) this.look();
    }

    stop(): void {
        this.events?.close();
        this.forgetWatchers();
        clearTimeout(this.renderersTimer);
        this.renderersTimer = 0;
        clearTimeout(this.unseenTimer);
        clearInterval(this.againTimer);
        document.removeEventListener("visibilitychange", this.looked);
    }

    private look(): void {
        clearTimeout(this.unseenTimer);
        if (document.hidden) this.unseenTimer = window.setTimeout(() => this.events?.close(), UNSEEN);
        else if (this.events?.isClosed) this.reconnect();
    }

    /** Tries to connect now. */
    reconnect(): void {
        this.events?.connect();
    }

    /** Calls `draw` now, and at most once a frame after any of `topics` changed. */
    watch(topics: readonly Topic[], draw: () => void): void {
        this.watchers.push({ topics, draw });
        draw();
    }

    forgetWatchers(): void {
        this.watchers.length = 0;
        cancelAnimationFrame(this.frame);
        this.frame = 0;
        this.stale.clear();
    }

    /** Why something could not be fetched. */
    get trouble(): Problem | null {
        return this.troubles.values().next().value ?? null;
    }

    /** The renderer whose queue and figures are shown. */
    get shown(): RendererEntry | null {
        const all = this.renderers ?? [];
        const wanted = this.chosenRenderer;
        const chosen = wanted && all.find((renderer) => isSameRenderer(renderer, wanted));
        const leads = (renderer: RendererEntry) =>
            renderer.clientType === "host" && renderer.telemetry !== null;
        return chosen ?? all.find(leads) ?? all.find((one) => one.clientType === "host") ?? all[0] ?? null;
    }

    choose(renderer: RendererName): void {
        this.chosenRenderer = renderer;
        this.history.clear();
        this.tell("renderers", "figures");
    }

    /**
     * What was changed from here. While events come they tell it too, and in the
     * order in which things happened.
     */
    changed(what: { status?: StreamStatus; config?: Config }): void {
        if (this.link.is === "open") return;
        if (what.status) this.takeStatus(what.status);
        if (what.config) this.takeConfig(what.config);
    }

    private takeStatus(status: StreamStatus): void {
        this.status = status;
        this.tell("status");
    }

    private takeConfig(config: Config): void {
        this.config = config;
        this.tell("config");
    }

    private async refresh(): Promise<void> {
        await Promise.all(FETCHED.map((topic) => this.fetch(topic)));
    }

    private async fetch(topic: Fetched): Promise<void> {
        const running = this.asking.get(topic);
        if (running) {
            running.again = true;
            return;
        }
        const asking: Asking = { meanwhile: [], again: false };
        this.asking.set(topic, asking);
        try {
            await this.ask(topic, asking.meanwhile);
        } finally {
            this.asking.delete(topic);
        }
        if (asking.again) await this.fetch(topic);
    }

    private async ask(topic: Fetched, meanwhile: Asking["meanwhile"]): Promise<void> {
        try {
            switch (topic) {
                case "streams":
                    this.streams = await streams();
                    break;
                case "status":
                    this.status = await this.api.status();
                    break;
                case "config":
                    this.config = await this.api.config();
                    break;
                case "gifts":
                    this.gifts = await this.api.gifts(RECENT, null);
                    break;
                case "renderers":
                    this.renderers = (await this.api.renderers()).slice(0, MAX_RENDERERS);
                    break;
                case "sources":
                    this.sources = await sources();
                    break;
            }
            // The answer may be from before they happened.
            for (const { name, data } of meanwhile) this.apply(name, data);
            if (this.troubles.delete(topic)) this.tell("link");
            this.tell(topic);
        } catch (error) {
            if (!(error instanceof Problem)) throw error;
            if (error.isSignedOut) return this.onSignedOut();
            this.troubles.set(topic, error);
            this.tell("link");
        }
    }

    private tell(...topics: Topic[]): void {
        for (const topic of topics) this.stale.add(topic);
        // A page that nobody sees gets no frames, and draws nothing until it does.
        this.frame ||= requestAnimationFrame(() => this.draw());
    }

    private draw(): void {
        this.frame = 0;
        const changed = new Set(this.stale);
        this.stale.clear();
        for (const watcher of this.watchers) {
            if (watcher.topics.some((topic) => changed.has(topic))) watcher.draw();
        }
    }

    private take(name: EventName, data: string): void {
        const topic = UPDATES[name];
        const meanwhile = topic && this.asking.get(topic)?.meanwhile;
        if (meanwhile && meanwhile.push({ name, data }) > MAX_MEANWHILE) meanwhile.shift();
        this.apply(name, data);
    }

    private apply(name: EventName, data: string): void {
        switch (name) {
            case "gift":
                return this.takeGift(JSON.parse(data) as { payload: Gift; timestamp: string });
            case "ended":
                return this.takeEnded(JSON.parse(data) as Ended);
            case "status":
                return this.takeStatus((JSON.parse(data) as { payload: StreamStatus }).payload);
            case "config":
                return this.takeConfig(JSON.parse(data) as Config);
            case "joined":
            case "left":
                return this.askForRenderers();
            case "pong":
                return this.takePong(JSON.parse(data) as Pong & RendererName);
            case "telemetry":
                return this.takeTelemetry(JSON.parse(data) as Telemetry & RendererName);
            case "figures":
                return this.takeFigures(JSON.parse(data) as Figures);
            case "source":
                return this.takeSource(JSON.parse(data) as Source);
            case "missed":
                return void this.refresh();
        }
    }

    private takeGift({ payload: gift, timestamp: acceptedAt }: { payload: Gift; timestamp: string }): void {
        const known = this.gifts ?? [];
        // A list that was asked for meanwhile may have it already, and what became of it.
        if (known.some((listed) => listed.giftId === gift.giftId)) return;
        const listed: ListedGift = { giftId: gift.giftId, state: "unacked", error: null, acceptedAt, gift };
        this.gifts = [listed, ...known].slice(0, RECENT);
        this.tell("gifts");
    }

    private takeEnded(ended: Ended): void {
        const gift = this.gifts?.find((listed) => listed.giftId === ended.giftId);
        if (gift) Object.assign(gift, { state: ended.state, error: ended.error });
        this.tell("gifts", "ended");
    }

    private renderer(name: RendererName): RendererEntry | null {
        const known = this.renderers?.find((renderer) => isSameRenderer(renderer, name));
        if (!known && (this.renderers?.length ?? 0) < MAX_RENDERERS) this.askForRenderers();
        return known ?? null;
    }

    private askForRenderers(): void {
        this.renderersTimer ||= window.setTimeout(() => {
            this.renderersTimer = 0;
            void this.fetch("renderers");
        }, RENDERERS_EVERY);
    }

    private takePong({ clientId, clientType, ...pong }: Pong & RendererName): void {
        const renderer = this.renderer({ clientId, clientType });
        if (renderer) renderer.pong = pong;
        this.tell("renderers");
    }

    private takeTelemetry({ clientId, clientType, ...telemetry }: Telemetry & RendererName): void {
        const renderer = this.renderer({ clientId, clientType });
        if (renderer) renderer.telemetry = telemetry;
        this.tell("renderers");
    }

    private takeSource(source: Source): void {
        const known = this.sources ?? [];
        const isSame = (other: Source) => other.name === source.name;
        this.sources = known.some(isSame)
            ? known.map((other) => (isSame(other) ? source : other))
            : [...known, source];
        this.tell("sources");
    }

    private takeFigures(figures: Figures): void {
        this.figures = figures;
        const renderer = this.shown;
        const telemetry = renderer?.telemetry;
        const pong = renderer?.pong;
        this.history.push(Date.parse(figures.at) / 1000, {
            in: figures.in,
            out: figures.out,
            queue: telemetry?.waiting.count ?? pong?.queueSize ?? null,
            waitP50: telemetry?.waitTime.p50 ?? null,
            waitP95: telemetry?.waitTime.p95 ?? null,
            frameP50: telemetry?.frameTime.p50 ?? null,
            frameP95: telemetry?.frameTime.p95 ?? null,
            latency: pong?.latency ?? null,
            memory: pong?.memory ?? null,
        });
        this.tell("figures");
    }
}
