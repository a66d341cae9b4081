// Elements in one call. Text goes in as text, never as markup.

type Child = Node | string | null | undefined | false;

type Listeners = {
    [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void;
};

type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes (`true` is an empty one), listeners and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Attributes = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined || value === false) continue;
        element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

/** Listens, and returns the element. */
export function on<E extends HTMLElement>(element: E, listeners: Listeners): E {
    for (const [name, listener] of Object.entries(listeners)) {
        element.addEventListener(name, listener as EventListener);
    }
    return element;
}

/** A button that does something, by its text and an icon of the style sheet. */
export function button(
    label: string,
    act: (event: MouseEvent) => void,
    attributes: Attributes & { icon?: string } = {},
): HTMLButtonElement {
    const { icon, ...rest } = attributes;
    const made = el(
        "button",
        { type: "button", ...rest },
        icon ? el("span", { class: `icon icon-${icon}`, "aria-hidden": "true" }) : null,
        el("span", { class: "label" }, label),
    );
    return on(made, { click: act });
}

/**
 * What a stranger wrote. It may read from right to left and must not turn what
 * stands around it.
 */
export function stranger(text: string, className = "stranger"): HTMLElement {
    return el("bdi", { class: className, dir: "auto", title: text }, text);
}

/** Changes a text only when it is another, so that nothing is laid out anew. */
export function setText(element: Element, text: string): void {
    if (element.textContent !== text) element.textContent = text;
}

/** Hides an element or shows it; the focus goes on to `next` rather than nowhere. */
export function hide(element: HTMLElement, isHidden: boolean, next: HTMLElement): void {
    if (isHidden && element.contains(document.activeElement)) next.focus();
    element.hidden = isHidden;
}

/**
 * Keeps a row in `list` for each item, as long as there is one of its key: what is
 * focused or being read stays where it is. Returns what brings the rows up to date.
 */
export function keyedRows<Item, Row extends { element: HTMLElement }>(
    list: HTMLElement,
    keyOf: (item: Item) => string,
    make: (item: Item) => Row,
): (items: readonly Item[]) => [Item, Row][] {
    const rows = new Map<string, Row>();
    return (items) => {
        const keys = new Set(items.map(keyOf));
        for (const [key, row] of rows) {
            if (keys.has(key)) continue;
            row.element.remove();
            rows.delete(key);
        }
        return items.map((item) => {
            const key = keyOf(item);
            let row = rows.get(key);
            if (!row) {
                row = make(item);
                rows.set(key, row);
                list.append(row.element);
            }
            return [item, row];
        });
    };
}

let count = 0;

/** An id that no other element has. */
export function freshId(prefix: string): string {
    count += 1;
    return `${prefix}-${count}`;
}

/** A labelled control: label above, control below. */
export function field(label: string, control: HTMLElement, ...more: Child[]): HTMLElement {
    control.id ||= freshId("field");
    return el("div", { class: "field" }, el("label", { for: control.id }, label), control, ...more);
}
