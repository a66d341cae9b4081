// The last ten minutes as lines, and the same as a table.

import uPlot from "uplot";
import { KEPT, summary, type Column } from "./history";
import { button, el, setText } from "./dom";
import { panel, type View } from "./view";

/** Of a plot, in CSS pixels. */
const HEIGHT = 96;
const AXIS_WIDTH = 52;
const AXIS_HEIGHT = 20;

/** Seconds that a plot shows at the least. */
const SHORTEST = 60;

interface Line {
    column: Column;
    label: string;
    tell: (value: number | null) => string;
    look: "accent" | "accent-dashed" | "quiet";
}

interface Plot {
    title: string;
    lines: Line[];
    axis: (value: number) => string;
}

export function plots(view: View): HTMLElement {
    const { desk, text } = view;
    const drawn = described(view).map((plot) => new Drawn(view, plot));
    const table = new Table(view, described(view));
    const figures = el("div", { class: "plots" }, ...drawn.map((plot) => plot.element));
    const asTable = button(
        text.asTable,
        () => {
            const isTable = table.element.hidden;
            table.element.hidden = !isTable;
            figures.hidden = isTable;
            asTable.setAttribute("aria-pressed", String(isTable));
            draw();
        },
        { class: "small toggle", "aria-pressed": "false" },
    );
    table.element.hidden = true;
    const draw = () => {
        if (table.element.hidden) for (const plot of drawn) plot.draw();
        else table.draw();
    };
    desk.watch(["figures"], draw);
    return panel("plots", text.plots, figures, table.element, el("div", { class: "panel-end" }, asTable));
}

function described({ text, format }: View): Plot[] {
    const count = (value: number | null) => format.number(value);
    const axis = (unit: string) => (value: number) => format.axis(value, unit);
    const seconds = (value: number | null) => format.seconds(value);
    const millis = (value: number | null) => format.milliseconds(value);
    const megabytes = (value: number | null) => format.megabytes(value);
    return [
        {
            title: text.plotGifts,
            axis: count,
            lines: [
                { column: "in", label: text.lineIn, tell: count, look: "accent" },
                { column: "out", label: text.lineOut, tell: count, look: "quiet" },
            ],
        },
        {
            title: text.plotQueue,
            axis: count,
            lines: [{ column: "queue", label: text.lineWaiting, tell: count, look: "accent" }],
        },
        {
            title: text.plotWait,
            axis: axis("second"),
            lines: [
                { column: "waitP50", label: text.p50, tell: seconds, look: "accent" },
                { column: "waitP95", label: text.p95, tell: seconds, look: "accent-dashed" },
            ],
        },
        {
            title: text.plotFrames,
            axis: axis("millisecond"),
            lines: [
                { column: "frameP50", label: text.p50, tell: millis, look: "accent" },
                { column: "frameP95", label: text.p95, tell: millis, look: "accent-dashed" },
                { column: "latency", label: text.lineLatency, tell: millis, look: "quiet" },
            ],
        },
        {
            title: text.plotMemory,
            axis: axis("megabyte"),
            lines: [{ column: "memory", label: text.memory, tell: megabytes, look: "accent" }],
        },
    ];
}

/** Colours are the style sheet's, and change with it. */
function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

class Drawn {
    readonly element: HTMLElement;
    private readonly values: HTMLElement[];
    private readonly place: HTMLElement;
    private chart: uPlot | null = null;

    constructor(
        private readonly view: View,
        private readonly plot: Plot,
    ) {
        this.values = plot.lines.map(() => el("span", { class: "value" }, "–"));
        const legend = plot.lines.map((line, index) =>
            el(
                "span",
                { class: "legend" },
                plot.lines.length > 1 ? el("i", { class: `swatch ${line.look}`, "aria-hidden": "true" }) : null,
                plot.lines.length > 1 ? el("span", {}, line.label) : null,
                this.values[index],
            ),
        );
        this.place = el("div", { class: "plot", role: "img" });
        const caption = el("figcaption", {}, el("span", { class: "plot-title" }, plot.title), ...legend);
        this.element = el("figure", {}, caption, this.place);
        const size = new ResizeObserver(() => this.fit());
        size.observe(this.place);
        const scheme = matchMedia("(prefers-color-scheme: dark)");
        scheme.addEventListener("change", () => this.chart?.redraw(), { signal: view.gone });
        view.gone.addEventListener("abort", () => {
            size.disconnect();
            this.chart?.destroy();
        });
    }

    draw(): void {
        const history = this.view.desk.history;
        const columns = this.plot.lines.map((line) => history.column(line.column));
        if (this.chart?.cursor.idx == null) this.tell(null);
        this.place.setAttribute("aria-label", this.spoken());
        if (this.place.clientWidth === 0) return;
        this.chart ??= this.made();
        this.chart.setData([history.times, ...columns]);
    }

    private fit(): void {
        const width = this.place.clientWidth;
        if (width === 0) return;
        if (this.chart) this.chart.setSize({ width, height: HEIGHT });
        else this.draw();
    }

    /** The values at a row, or the latest. */
    private tell(index: number | null): void {
        this.plot.lines.forEach((line, at) => {
            const column = this.view.desk.history.column(line.column);
            const value = index === null ? column.at(-1) : column[index];
            const element = this.values[at];
            if (element) setText(element, line.tell(value ?? null));
        });
    }

    private spoken(): string {
        const { text, desk } = this.view;
        const lines = this.plot.lines.map((line) => {
            const told = summary(desk.history.column(line.column));
            return text.plotSpoken(line.label, line.tell(told.now), line.tell(told.mean), line.tell(told.highest));
        });
        return `${this.plot.title}. ${lines.join(" ")}`;
    }

    private made(): uPlot {
        const { locale } = this.view.format;
        const minutes = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
        const seconds = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
        const axis = {
            stroke: () => colour("--quiet"),
            grid: { stroke: () => colour("--line"), width: 1 },
            ticks: { show: false },
            font: "11px system-ui, sans-serif",
        };
        const options: uPlot.Options = {
            width: this.place.clientWidth,
            height: HEIGHT,
            padding: [6, 14, 0, 0],
            legend: { show: false },
            cursor: { sync: { key: "desk" }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
            scales: {
                x: { range: (_, from, to) => [Math.max(to - KEPT, Math.min(from, to - SHORTEST)), to] },
                y: { range: (_, __, to) => [0, Math.max(1, to * 1.1)] },
            },
            axes: [
                {
                    ...axis,
                    size: AXIS_HEIGHT,
                    space: 70,
                    values: (_, times, __, ___, step) =>
                        times.map((time) => (step < 60 ? seconds : minutes).format(time * 1000)),
                },
                {
                    ...axis,
                    size: AXIS_WIDTH,
                    space: 24,
                    gap: 4,
                    values: (_, values) => values.map((value) => this.plot.axis(value)),
                },
            ],
            series: [{}, ...this.plot.lines.map(look)],
            hooks: { setCursor: [(chart) => this.tell(chart.cursor.idx ?? null)] },
        };
        return new uPlot(options, [[], ...this.plot.lines.map(() => [])], this.place);
    }
}

function look(line: Line): uPlot.Series {
    return {
        stroke: () => colour(line.look === "quiet" ? "--quiet" : "--accent"),
        width: 1.5,
        points: { show: false },
        ...(line.look === "accent-dashed" ? { dash: [4, 3] } : {}),
    };
}

/** The plots for who cannot see them, or would rather read. */
class Table {
    readonly element: HTMLElement;
    private readonly draws: (() => void)[] = [];

    constructor(view: View, plots: Plot[]) {
        const { text, desk } = view;
        const head = [text.figure, text.now, text.mean, text.highest];
        const body = el("tbody");
        for (const plot of plots) {
            for (const line of plot.lines) {
                const cells = [el("td"), el("td"), el("td")];
                const name = plot.lines.length > 1 ? `${plot.title}: ${line.label}` : plot.title;
                body.append(el("tr", {}, el("th", { scope: "row" }, name), ...cells));
                this.draws.push(() => {
                    const told = summary(desk.history.column(line.column));
                    [told.now, told.mean, told.highest].forEach((value, index) => {
                        const cell = cells[index];
                        if (cell) setText(cell, line.tell(value));
                    });
                });
            }
        }
        this.element = el(
            "table",
            {},
            el("caption", {}, text.tableCaption),
            el("thead", {}, el("tr", {}, ...head.map((title) => el("th", { scope: "col" }, title)))),
            body,
        );
    }

    draw(): void {
        for (const draw of this.draws) draw();
    }
}
