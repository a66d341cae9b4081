// Numbers and times, as the reader's place writes them.

/** What stands where nothing is known. */
export const NOTHING = "–";

type Value = number | null | undefined;

export class Format {
    private readonly numbers = new Map<string, Intl.NumberFormat>();
    private readonly clock: Intl.DateTimeFormat;
    private readonly calendar: Intl.DateTimeFormat;

    constructor(readonly locale: string) {
        this.clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
        this.calendar = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "short" });
    }

    count(value: Value): string {
        return this.write(value, { maximumFractionDigits: 0 });
    }

    /** A rate or the like: with one decimal where there is one, and with two figures below 1. */
    number(value: Value): string {
        if (value && Math.abs(value) < 1) return this.write(value, { maximumSignificantDigits: 2 });
        return this.write(value, { maximumFractionDigits: 1 });
    }

    percent(share: Value): string {
        return this.write(share, { style: "percent", maximumFractionDigits: 0 });
    }

    seconds(value: Value): string {
        const isLong = (value ?? 0) >= 120;
        if (isLong) return this.unit((value ?? 0) / 60, "minute", 1);
        return this.unit(value, "second", (value ?? 0) < 10 ? 1 : 0);
    }

    /** A span in words, as a sentence has it. */
    span(seconds: number): string {
        const [value, unit] = seconds >= 120 ? [seconds / 60, "minute"] : [seconds, "second"];
        return this.write(value, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });
    }

    milliseconds(value: Value): string {
        return this.unit(value, "millisecond", (value ?? 0) < 10 ? 1 : 0);
    }

    megabytes(value: Value): string {
        return this.unit(value, "megabyte", 0);
    }

    /** A figure beside an axis: no more decimals than it has. */
    axis(value: number, unit: string): string {
        return this.write(value, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: 1 });
    }

    /** The time of day of an RFC 3339 time; with its date where that is not today's. */
    time(stamp: string): string {
        const time = new Date(stamp);
        if (Number.isNaN(time.getTime())) return NOTHING;
        const isToday = time.toDateString() === new Date().toDateString();
        return (isToday ? this.clock : this.calendar).format(time);
    }

    /** Always so many decimals, so that nothing moves as the figure changes. */
    private unit(value: Value, unit: string, digits: number): string {
        return this.write(value, {
            style: "unit",
            unit,
            unitDisplay: "narrow",
            minimumFractionDigits: digits,
            maximumFractionDigits: digits,
        });
    }

    private write(value: Value, options: Intl.NumberFormatOptions): string {
        if (value === null || value === undefined) return NOTHING;
        // Making a format costs more than a hundred uses of it.
        const key = Object.values(options).join("/");
        let format = this.numbers.get(key);
        if (!format) {
            format = new Intl.NumberFormat(this.locale, options);
            this.numbers.set(key, format);
        }
        return format.format(value);
    }
}
