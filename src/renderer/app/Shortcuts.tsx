import { Modal } from '@mantine/core';

const SHORTCUTS: readonly (readonly [where: string, keys: readonly (readonly [key: string, what: string])[]])[] = [
  [
    'Everywhere',
    [
      ['Ctrl K', 'Command palette'],
      ['Ctrl Shift K', 'Switch to another cluster'],
      ['?', 'This page'],
      ['/', 'Search'],
    ],
  ],
  [
    'Jobs',
    [
      ['j or ↓', 'Next row'],
      ['k or ↑', 'Previous row'],
      ['Enter', 'Open the job'],
    ],
  ],
  [
    'Profiles',
    [
      ['j, k, Enter', 'Next row, previous row, open it'],
      ['→ and ←', 'Open and close a command'],
      ['x', 'Select the run; with Shift all from the one before'],
      ['c', 'Compare what is selected'],
      ['t, p, e', 'Tag, pin, export what is selected, else the row'],
      ['Delete, u', 'Delete what is selected, else the row; undo'],
      ['1 to 4', 'In a comparison: its tabs'],
    ],
  ],
  [
    'Targets and Nodes',
    [
      ['j, k, Enter', 'Next row, previous row, open it'],
      ['a', 'Add a target'],
      ['x', 'Select the row, or not any more'],
      ['p', 'Pause or resume what is selected, else the row'],
      ['e', 'Edit the row’s target'],
      ['Delete', 'Remove what is selected, else the row'],
      ['u', 'Undo the last removal'],
    ],
  ],
  [
    'Alarms',
    [
      ['j, k, Enter', 'Next row, previous row, open it'],
      ['a', 'Acknowledge what is selected, else the row'],
      ['s', 'Silence what is selected, else the row'],
      ['x', 'Select the row, or not any more'],
      ['p', 'Show the plot of the row'],
      ['g', 'Group by rule or by place'],
      ['n', 'New rule; on the other pages a new silence or channel'],
      ['e, o, Delete', 'On the rules: edit, switch on or off, delete the row’s rule'],
    ],
  ],
  [
    'Connections',
    [
      ['j, k, Enter', 'Next row, previous row, open it'],
      ['a', 'Add a connection'],
      ['c', 'Connect or disconnect the row'],
      ['e, Delete', 'Settings of the row, remove it'],
    ],
  ],
  [
    'Job, Node and Target',
    [
      ['Space', 'Pause, or back to live'],
      ['drag on a chart', 'Show that range in all charts'],
      ['Esc, double click', 'Zoom out, a step back'],
      ['Ctrl wheel, pinch', 'Zoom around the pointer'],
      ['Shift wheel', 'Earlier and later'],
      ['+ and −', 'Narrower and wider range'],
      ['← and →, h and l', 'Earlier and later'],
      ['0', 'Back to live, or the whole run'],
      ['t', 'Rates or totals'],
    ],
  ],
];

export function Shortcuts({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keyboard shortcuts"
      size="md"
      // A dialog's header is no second banner of the page.
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {SHORTCUTS.map(([where, keys]) => (
        <section key={where} className="v-shortcuts">
          <h3>{where}</h3>
          <dl className="v-facts">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd className="v-kbd">{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
