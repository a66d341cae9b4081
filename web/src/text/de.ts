// Deutsch.

import type { Texts } from "./en";

export const de: Texts = {
    code: "de",
    title: "Hyperfocus-Pult",
    language: "Sprache",
    stream: "Stream",

    signInWhy: "Das Pult öffnet sich mit einem Link, der einmal und zehn Minuten lang gilt. Einen neuen gibt beim Relay:",
    linkOrCode: "Link oder Code",
    open: "Pult öffnen",
    signOut: "Abmelden",

    linkStates: { connecting: "verbindet", open: "live", lost: "Verbindung verloren" },
    tryNow: "Jetzt versuchen",
    unreachable: "Das Relay antwortet nicht. Läuft es noch?",
    refused: (detail) => `Das Relay lehnt ab: ${detail}`,

    glance: "Auf einen Blick",
    giftsIn: "Herein /s",
    giftsOut: "Gezeigt /s",
    waiting: "Wartend",
    hosts: "Hosts",
    viewers: "Zuschauer",
    unsettled: "Offen",
    parked: "Geparkt",

    controls: "Steuerung",
    controlsIdle: "Kein Renderer ist verbunden, der sich steuern lässt.",
    pause: "Pause",
    skip: "Überspringen",
    skipped: "Was lief, ist übersprungen.",
    replay: "Nochmal",
    replayLast: "Wiederholen",
    replayed: "Das letzte Geschenk läuft noch einmal.",
    mute: "Stumm",
    doNotDisturb: "Nicht stören",
    switched: (label, on) => `${label}: ${on ? "an" : "aus"}.`,
    clear: "Leeren",
    clearAsk: (count, waiting) =>
        waiting === 0
            ? "Bühne leeren?"
            : `Bühne und ${count} ${waiting === 1 ? "wartendes Geschenk" : "wartende Geschenke"} verwerfen?`,
    clearYes: "Leeren",
    clearNo: "Behalten",
    cleared: "Bühne und Warteschlange sind leer.",
    volume: "Lautstärke",

    queue: "Warteschlange",
    queueEmpty: "Nichts wartet.",
    queueCount: (count, waiting) => (waiting === 1 ? "ein Geschenk wartet" : `${count} Geschenke warten`),
    queueUntold: "Die Warteschlange erscheint, sobald ein Renderer sie mitteilt.",
    giftFrom: (type, sender) => `${type} von ${sender}`,
    actOn: (act, what) => `${act}: ${what}`,
    hold: "Halten",
    release: "Freigeben",
    held: (what) => `Gehalten: ${what}.`,
    released: (what) => `Freigegeben: ${what}.`,
    skippedGift: (what) => `Übersprungen: ${what}.`,
    gone: "weg",

    recentGifts: "Letzte Geschenke",
    show: "Zeigen",
    allGifts: "alle",
    states: {
        unacked: "wartet",
        rendered: "gezeigt",
        failed: "nicht gezeigt",
        parked: "geparkt",
    },
    giftsEmpty: "Noch keine Geschenke. Eine Quelle anschließen, oder eins hierhin senden:",
    giftsNoneSuch: "Keine Geschenke dieser Art.",
    replayedGift: (what) => `Läuft noch einmal: ${what}.`,
    resend: "Neu senden",
    resentGift: (what) => `Neu gesendet: ${what}.`,
    dismiss: "Verwerfen",
    dismissedGift: (what) => `Verworfen: ${what}.`,
    reasons: {
        OVERLOADED: "zu viele Geschenke warteten",
        INVALID: "seine Anzahl ist kleiner als 1",
        DISMISSED: "übersprungen, geleert oder auf der Bühne nicht erwünscht",
        "never presented": "keine Ausgabe hat sein Bild genommen",
        "dismissed by the host": "vom Host verworfen",
        "the host did not say why": "der Renderer hat nicht gesagt, warum",
    },
    sentAgain: "noch einmal gesendet",

    rate: "Tempo",
    rateLabel: "Geschenke, die je Sekunde beginnen",
    perSecond: (rate) => `${rate} /s`,
    rateSpoken: (rate, wait) => `${rate}; 95 von 100 Geschenken hätten höchstens ${wait} gewartet`,
    waitP50: "Warten p50",
    waitP95: "Warten p95",
    folded: "Gebündelt",
    coverage: "Im Bild",
    refusedShare: "Abgelehnt",
    basis: (count, span, gifts) =>
        gifts === 0
            ? `Keine Geschenke in den letzten ${span}, an denen sich ein Tempo messen ließe.`
            : `So wäre es für ${gifts === 1 ? "das Geschenk" : `die ${count} Geschenke`} der letzten ${span} gewesen.`,
    noRates: (detail) => `Was ein Tempo bedeutet, lässt sich gerade nicht sagen: ${detail}`,
    recommended: (rate) => `Empfohlen: ${rate}`,
    reason: (_said, { rate, answered, wait, refused, slower, isEnough, isFollowed }) => {
        const parts = [
            `Bei ${rate} sind ${answered} der Geschenke binnen 3 s zu sehen und nicht mit anderen gebündelt, und 95 % warten höchstens ${wait}`,
        ];
        if (refused) parts.push(`${refused} werden abgelehnt`);
        parts.push(slower ? `bei ${slower.rate} wären es ${slower.answered}` : "ein langsameres Tempo wurde nicht geprüft");
        const more = isFollowed
            ? ", und kein schnelleres ist viel besser, weil die Geschenke dann auf ihre Plätze warten oder doch gebündelt werden"
            : ", und auch schnellere wären zu prüfen";
        return `${parts.join("; ")}${isEnough ? "" : more}.`;
    },
    adopt: (rate) => `${rate} nehmen`,
    applied: (rate) => `Übernommen: ${rate}`,

    testGifts: "Testgeschenke",
    giftType: "Geschenk",
    quantity: "Anzahl",
    streak: "Serie von",
    play: "Abspielen",
    testSent: (type) => `Unterwegs: ${type}. Es zählt nirgends.`,

    goal: "Ziel",
    streamIsLive: "Der Stream ist live",
    nowLive: "Der Stream ist live.",
    nowOffline: "Der Stream ist nicht live.",
    goalProgress: "Wie viel vom Ziel erreicht ist",
    goalDescription: "Wofür",
    goalCurrent: "Erreicht",
    goalTarget: "Ziel",
    goalType: "Gezählt wird",
    save: "Speichern",
    removeGoal: "Entfernen",
    goalSaved: "Das Ziel ist gesetzt.",
    goalRemoved: "Das Ziel ist entfernt.",

    plots: "Zahlen",
    asTable: "Als Tabelle",
    plotGifts: "Geschenke je Sekunde",
    plotQueue: "Warteschlange",
    plotWait: "Wartezeit",
    plotFrames: "Bildzeit und Latenz",
    plotMemory: "Speicher",
    lineIn: "herein",
    lineOut: "gezeigt",
    lineWaiting: "wartend",
    p50: "p50",
    p95: "p95",
    frameP95: "Bild p95",
    lineLatency: "Latenz",
    latency: "Latenz",
    memory: "Speicher",
    plotSpoken: (label, now, mean, highest) =>
        `${label}: jetzt ${now}, im Mittel ${mean}, höchstens ${highest}.`,
    tableCaption: "Die letzten zehn Minuten",
    figure: "Größe",
    now: "Jetzt",
    mean: "Mittel",
    highest: "Höchstens",

    renderers: "Renderer",
    renderersEmpty: "Kein Renderer ist verbunden. Starten mit:",
    renderersHint: "Das Relay hat diese Zeile beim Start mit dem ganzen Pfad des Tokens ausgegeben.",
    host: "Host",
    viewer: "Zuschauer",
    since: (time) => `seit ${time}`,
    noControls: "lässt sich nicht steuern",
    fps: "Bilder /s",
    lanes: "Auf der Bühne",
    outcomes: "Gezeigt / nicht",
    showThis: "Diesen zeigen",

    sources: "Quellen",
    sourcesEmpty: "Keine Quelle ist eingerichtet; Geschenke kommen über HTTP. Quellen stehen in der Konfiguration:",
    sourceStates: {
        connecting: "verbindet",
        connected: "verbunden",
        waiting: "wartet",
        ended: "beendet",
    },
    lastEvent: (time) => `letztes Ereignis ${time}`,
    noEventYet: "noch kein Ereignis",
    sourceCounts: (gifts, ignored, count) =>
        `${gifts} ${count === 1 ? "Geschenk" : "Geschenke"}, ${ignored} übergangen`,
};
