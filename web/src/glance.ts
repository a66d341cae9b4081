// The figures a host looks at between two sentences.

import { el, setText } from "./dom";
import type { View } from "./view";

export function glance(view: View): HTMLElement {
    const { desk, text, format } = view;
    const list = el("dl", { class: "glance", "aria-label": text.glance });
    const tile = (label: string, read: () => string, alert?: () => boolean) => {
        const value = el("dd", {}, "–");
        const made = el("div", {}, el("dt", {}, label), value);
        list.append(made);
        return () => {
            setText(value, read());
            made.classList.toggle("is-alert", alert?.() ?? false);
        };
    };
    const telemetry = () => desk.shown?.telemetry;
    const draws = [
        tile(text.giftsIn, () => format.count(desk.figures?.in)),
        tile(text.giftsOut, () => format.count(desk.figures?.out)),
        tile(text.waiting, () => format.count(telemetry()?.waiting.count ?? desk.shown?.pong?.queueSize)),
        tile(text.waitP95, () => format.seconds(telemetry()?.waitTime.p95)),
        tile(
            text.hosts,
            () => format.count(desk.figures?.hosts),
            () => desk.figures?.hosts === 0,
        ),
        tile(text.viewers, () => format.count(desk.figures?.viewers)),
        tile(text.unsettled, () => format.count(desk.figures?.unsettled)),
        tile(
            text.parked,
            () => format.count(desk.figures?.parked),
            () => (desk.figures?.parked ?? 0) > 0,
        ),
    ];
    desk.watch(["figures", "renderers"], () => {
        for (const draw of draws) draw();
    });
    return list;
}
