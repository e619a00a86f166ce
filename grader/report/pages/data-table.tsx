// A table whose rows are cards on a narrow screen. It tells its roles, which browsers forget once the style no longer
// shows it as a table: https://html.spec.whatwg.org/multipage/tables.html and https://adrianroselli.com/2018/02/tables-css-display-properties-and-aria.html
// biome-ignore-all lint/a11y/noRedundantRoles: see above

import type { ComponentChildren } from "preact";

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

interface TableProps {
  readonly columns: readonly Column[];
  /** Class for the style. */
  readonly name: string;
  readonly children: ComponentChildren;
}

export function Table({ columns, name, children }: TableProps) {
  return (
    <table class={name} role="table">
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, isNumber }) => (
            <th scope="col" role="columnheader" class={isNumber ? "number" : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

/** A row: what it is about, and its cells. */
export function Row({ head, children }: { head: ComponentChildren; children: ComponentChildren }) {
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        {head}
      </th>
      {children}
    </tr>
  );
}

interface CellProps {
  readonly name: string;
  /** Stands before the value on a narrow screen, which does not show the headers. */
  readonly label?: string;
  readonly children: ComponentChildren;
}

export const Cell = ({ name, label, children }: CellProps) => (
  <td role="cell" class={name} data-label={label}>
    {children}
  </td>
);
