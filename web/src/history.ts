// What the plots show: the last ten minutes, a row a second.

export const COLUMNS = [
    "in",
    "out",
    "queue",
    "waitP50",
    "waitP95",
    "frameP50",
    "frameP95",
    "latency",
    "memory",
] as const;

export type Column = (typeof COLUMNS)[number];

/** A second's figures; `null` where nothing is known. */
export type Row = Record<Column, number | null>;

/** Seconds that are kept, and shown. The oldest row makes room for the newest. */
export const KEPT = 600;

/** A row that is later than this after the one before it leaves a gap (seconds). */
const GAP = 3;

export class History {
    /** Seconds since 1970, rising. */
    readonly times: number[] = [];
    private readonly columns = Object.fromEntries(
        COLUMNS.map((name) => [name, [] as (number | null)[]]),
    ) as Record<Column, (number | null)[]>;

    column(name: Column): (number | null)[] {
        return this.columns[name];
    }

    push(time: number, row: Row): void {
        // After a clock was set back, what was before it cannot be drawn beside it.
        if (time < (this.times.at(-1) ?? time) - GAP) this.clear();
        const last = this.times.at(-1);
        if (Number.isNaN(time) || (last !== undefined && time <= last)) return;
        if (last !== undefined && time - last > GAP) this.append(last + 1, null);
        this.append(time, row);
    }

    clear(): void {
        this.times.length = 0;
        for (const name of COLUMNS) this.columns[name].length = 0;
    }

    private append(time: number, row: Row | null): void {
        this.times.push(time);
        for (const name of COLUMNS) this.columns[name].push(row ? row[name] : null);
        while (this.times.length > KEPT || time - (this.times[0] ?? time) > KEPT) {
            this.times.shift();
            for (const name of COLUMNS) this.columns[name].shift();
        }
    }
}

/** A column in three figures, for who does not see the plot. */
export interface Summary {
    now: number | null;
    mean: number | null;
    highest: number | null;
}

export function summary(column: (number | null)[]): Summary {
    let sum = 0;
    let count = 0;
    let highest: number | null = null;
    for (const value of column) {
        if (value === null) continue;
        sum += value;
        count += 1;
        highest = highest === null ? value : Math.max(highest, value);
    }
    return { now: column.at(-1) ?? null, mean: count ? sum / count : null, highest };
}
