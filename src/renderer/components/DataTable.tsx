import { useVirtualizer } from '@tanstack/react-virtual';
import { createColumnHelper, tableFeatures, useTable } from '@tanstack/react-table';
import type { ColumnDef } from '@tanstack/react-table';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { Icon } from './Icon.tsx';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** A track of CSS grid: `minmax(120px, 1fr)`, `80px`. */
  readonly width: string;
  readonly numeric?: boolean;
  readonly sortable?: boolean;
  readonly cell: (row: Row) => ReactNode;
  /** What stands in the head instead of the title, such as a box that selects all. */
  readonly head?: ReactNode;
}

export interface TableSort {
  readonly id: string;
  readonly descending: boolean;
}

interface DataTableProps<Row extends object> {
  readonly label: string;
  readonly testId?: string;
  /** In the order to be shown: sorting is the owner's, so that it can be a pure function with tests. */
  readonly rows: Row[];
  /** Of many rows the same function at each rendering: with another one all rows are measured anew. */
  readonly rowId: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  readonly rowHeight?: number;
  readonly sort: TableSort;
  readonly onSort: (sort: TableSort) => void;
  /** Row under the keyboard cursor, by index; with `onOpen` rows open by click and Enter. */
  readonly cursor?: number;
  readonly onCursor?: (index: number) => void;
  readonly onOpen?: (row: Row) => void;
  /** What stands in a row instead of its cells, over the whole width, such as the head of a group; null: its cells. */
  readonly section?: (row: Row) => ReactNode;
  /** The last rows are near: more of them may be asked for. */
  readonly onEnd?: (() => void) | undefined;
  readonly empty: ReactNode;
}

const features = tableFeatures({});
/** px, with its line. */
const HEAD_HEIGHT = 34;
/** So many rows before the last one, more are asked for. */
const NEAR_END = 40;

/** A table of any length: only the rows in sight exist. A grid to the keyboard and to assistive technology. */
export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const { rows, rowId, columns, rowHeight = 30, cursor = -1 } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const defs = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    return columns.map((column) =>
      helper.display({ id: column.id, header: column.title, cell: ({ row }) => column.cell(row.original) }),
    ) as ColumnDef<typeof features, Row>[];
  }, [columns]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: useCallback((index: number) => (rows[index] ? rowId(rows[index]) : index), [rows, rowId]),
    overscan: 8,
    // The head takes a part of what is in sight: without this a cursor that goes down is below the last row in sight.
    scrollPaddingEnd: HEAD_HEIGHT,
  });
  const items = virtual.getVirtualItems();
  // The model has an object for each cell: of a hundred thousand rows only for those in sight.
  const first = items[0]?.index ?? 0;
  const end = (items.at(-1)?.index ?? -1) + 1;
  const inSight = useMemo(() => rows.slice(first, end), [rows, first, end]);
  const table = useTable({ features, columns: defs, data: inSight, getRowId: rowId });
  const model = table.getRowModel().rows;
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') };

  useEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(cursor, { align: 'auto' });
    // The virtualizer is the same object for the table's life.
  }, [cursor, virtual]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
    if (!props.onCursor || step === undefined || event.target !== event.currentTarget) return;
    event.preventDefault();
    props.onCursor(Math.max(0, Math.min(rows.length - 1, cursor + step)));
  };

  const { onEnd } = props;
  const isNearEnd = (items.at(-1)?.index ?? -1) >= rows.length - NEAR_END;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, onEnd, rows.length]);
  const cursorSeen = items.some((item) => item.index === cursor);
  return (
    <div
      ref={scroller}
      className="v-table"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={cursorSeen ? `row-${cursor}` : undefined}
      data-testid={props.testId}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="v-thead">
        <div role="row" aria-rowindex={1} className="v-tr" style={template}>
          {columns.map((column) => (
            <Head key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="v-tbody" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = model[item.index - first];
          if (!row) return null;
          const section = props.section?.(row.original) ?? null;
          return (
            <div
              key={item.key}
              id={`row-${item.index}`}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={item.index === cursor}
              className={`v-tr v-row${props.onOpen ? ' v-opens' : ''}${section === null ? '' : ' v-section'}`}
              style={{ ...template, height: rowHeight, transform: `translateY(${item.start}px)` }}
              onClick={() => props.onOpen?.(row.original)}
            >
              {section === null ? (
                row.getAllCells().map((cell, index) => (
                  <div key={cell.id} role="gridcell" className={columns[index]?.numeric ? 'v-td v-num' : 'v-td'}>
                    <table.FlexRender cell={cell} />
                  </div>
                ))
              ) : (
                <div role="gridcell" aria-colspan={columns.length} className="v-td v-whole-row">
                  {section}
                </div>
              )}
            </div>
          );
        })}
      </div>
      {rows.length === 0 ? (
        // A grid has nothing but rows.
        <div role="row">
          <div role="gridcell" className="v-table-empty">
            {props.empty}
          </div>
        </div>
      ) : null}
    </div>
  );
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly sort: TableSort;
  readonly onSort: (sort: TableSort) => void;
}

function Head<Row>({ column, sort, onSort }: HeadProps<Row>) {
  const here = sort.id === column.id;
  const className = column.numeric ? 'v-th v-num' : 'v-th';
  if (column.sortable === false) {
    return (
      <div role="columnheader" className={className}>
        {column.head ?? column.title}
      </div>
    );
  }
  return (
    <div
      role="columnheader"
      className={className}
      aria-sort={here ? (sort.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        className="v-sort"
        onClick={() => onSort({ id: column.id, descending: here ? !sort.descending : column.numeric === true })}
      >
        {column.title}
        <span className={here ? 'v-sort-mark' : 'v-sort-mark v-invisible'}>
          <Icon name={here && sort.descending ? 'down' : 'up'} size={12} />
        </span>
      </button>
    </div>
  );
}
