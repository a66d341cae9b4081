// English: the texts that every other language has to have.

import type { GiftState, SourceState } from "../wire";

const states: Record<GiftState, string> = {
    unacked: "waiting",
    rendered: "shown",
    failed: "not shown",
    parked: "parked",
};

/** Why gifts are not shown, as renderers and the relay say it. */
const reasons: Record<string, string> = {
    OVERLOADED: "too many gifts waited",
    INVALID: "its quantity is below 1",
    DISMISSED: "skipped, cleared or not wanted on the stage",
    "never presented": "no output took its picture",
    "dismissed by the host": "dismissed by the host",
    "the host did not say why": "the renderer did not say why",
};

const sourceStates: Record<SourceState, string> = {
    connecting: "connecting",
    connected: "connected",
    waiting: "waiting",
    ended: "ended",
};

/** Why a rate is recommended; shares as they are read. */
export interface Facts {
    rate: string;
    answered: string;
    wait: string;
    /** Absent where none is. */
    refused: string | null;
    /** The next rate that was judged. */
    slower: { rate: string; answered: string } | null;
    /** Nearly all are answered. */
    isEnough: boolean;
    /** Faster rates were judged. */
    isFollowed: boolean;
}

export const en = {
    code: "en",
    title: "Hyperfocus desk",
    language: "Language",
    stream: "Stream",

    signInWhy: "This desk is opened by a link that works once, for ten minutes. To get one, run this beside the relay:",
    linkOrCode: "Link or code",
    open: "Open the desk",
    signOut: "Sign out",

    linkStates: { connecting: "connecting", open: "live", lost: "connection lost" },
    tryNow: "Try now",
    unreachable: "The relay does not answer. Is it still running?",
    refused: (detail: string) => `The relay refused: ${detail}`,

    glance: "At a glance",
    giftsIn: "In /s",
    giftsOut: "Shown /s",
    waiting: "Waiting",
    hosts: "Hosts",
    viewers: "Viewers",
    unsettled: "Unacked",
    parked: "Parked",

    controls: "Controls",
    controlsIdle: "No renderer that takes controls is connected.",
    pause: "Pause",
    skip: "Skip",
    skipped: "Skipped what plays.",
    replay: "Replay",
    replayLast: "Replay last",
    replayed: "Playing the last gift again.",
    mute: "Mute",
    doNotDisturb: "Do not disturb",
    switched: (label: string, on: boolean) => `${label}: ${on ? "on" : "off"}.`,
    clear: "Clear",
    clearAsk: (count: string, waiting: number) =>
        waiting === 0
            ? "Clear the stage?"
            : `Clear the stage and ${count} waiting ${waiting === 1 ? "gift" : "gifts"}?`,
    clearYes: "Clear it",
    clearNo: "Keep it",
    cleared: "Stage and queue are clear.",
    volume: "Volume",

    queue: "Queue",
    queueEmpty: "Nothing waits.",
    queueCount: (count: string, waiting: number) => (waiting === 1 ? "one gift waits" : `${count} gifts wait`),
    queueUntold: "The queue shows here once a renderer tells it.",
    giftFrom: (type: string, sender: string) => `${type} from ${sender}`,
    actOn: (act: string, what: string) => `${act}: ${what}`,
    hold: "Hold",
    release: "Release",
    held: (what: string) => `Held: ${what}.`,
    released: (what: string) => `Released: ${what}.`,
    skippedGift: (what: string) => `Skipped: ${what}.`,
    gone: "gone",

    recentGifts: "Recent gifts",
    show: "Show",
    allGifts: "all",
    states,
    giftsEmpty: "No gifts yet. Connect a source, or send one here:",
    giftsNoneSuch: "No gifts of this kind.",
    replayedGift: (what: string) => `Playing again: ${what}.`,
    resend: "Send again",
    resentGift: (what: string) => `Sent again: ${what}.`,
    dismiss: "Dismiss",
    dismissedGift: (what: string) => `Dismissed: ${what}.`,
    reasons,
    sentAgain: "sent again",

    rate: "Pace",
    rateLabel: "Gifts that start per second",
    perSecond: (rate: string) => `${rate} /s`,
    rateSpoken: (rate: string, wait: string) => `${rate}; 95 of 100 gifts would have waited at most ${wait}`,
    waitP50: "Wait p50",
    waitP95: "Wait p95",
    folded: "Folded",
    coverage: "On screen",
    refusedShare: "Refused",
    basis: (count: string, span: string, gifts: number) =>
        gifts === 0
            ? `No gifts in the last ${span} to judge a rate by.`
            : `As it would have been for the ${count} ${gifts === 1 ? "gift" : "gifts"} of the last ${span}.`,
    noRates: (detail: string) => `What a rate means cannot be said now: ${detail}`,
    recommended: (rate: string) => `Recommended: ${rate}`,
    /** `said` is the relay's own sentence, which is English; the facts are what it says. */
    reason: (said: string, _facts: Facts) => said,
    adopt: (rate: string) => `Use ${rate}`,
    applied: (rate: string) => `Applied: ${rate}`,

    testGifts: "Test gifts",
    giftType: "Gift",
    quantity: "Quantity",
    streak: "Streak of",
    play: "Play",
    testSent: (type: string) => `On its way: ${type}. It counts nowhere.`,

    goal: "Goal",
    streamIsLive: "The stream is live",
    nowLive: "The stream is live.",
    nowOffline: "The stream is not live.",
    goalProgress: "How much of the goal is reached",
    goalDescription: "What for",
    goalCurrent: "Reached",
    goalTarget: "Target",
    goalType: "What it counts",
    save: "Save",
    removeGoal: "Remove",
    goalSaved: "The goal is set.",
    goalRemoved: "The goal is gone.",

    plots: "Figures",
    asTable: "As a table",
    plotGifts: "Gifts per second",
    plotQueue: "Queue",
    plotWait: "Waiting time",
    plotFrames: "Frame time and latency",
    plotMemory: "Memory",
    lineIn: "in",
    lineOut: "shown",
    lineWaiting: "waiting",
    p50: "p50",
    p95: "p95",
    frameP95: "Frame p95",
    lineLatency: "latency",
    latency: "Latency",
    memory: "Memory",
    plotSpoken: (label: string, now: string, mean: string, highest: string) =>
        `${label}: now ${now}, on average ${mean}, at most ${highest}.`,
    tableCaption: "The last ten minutes",
    figure: "Figure",
    now: "Now",
    mean: "Mean",
    highest: "Highest",

    renderers: "Renderers",
    renderersEmpty: "No renderer is connected. Run:",
    renderersHint: "The relay printed this line with the token's whole path when it started.",
    host: "Host",
    viewer: "Viewer",
    since: (time: string) => `since ${time}`,
    noControls: "takes no controls",
    fps: "Frames /s",
    lanes: "On stage",
    outcomes: "Shown / not",
    showThis: "Show this one",

    sources: "Sources",
    sourcesEmpty: "No source is set up; gifts come in over HTTP. Sources are set in the configuration:",
    sourceStates,
    lastEvent: (time: string) => `last event ${time}`,
    noEventYet: "no event yet",
    sourceCounts: (gifts: string, ignored: string, count: number) =>
        `${gifts} ${count === 1 ? "gift" : "gifts"}, ${ignored} ignored`,
};

/** What a language has to say. */
export type Texts = typeof en;
