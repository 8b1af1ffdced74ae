/** The tab's title: the view, and before it how many alarms fire. */

let view = '';
let firing = 0;

function show(): void {
  const name = view === '' ? 'Vigie' : `${view} · Vigie`;
  document.title = firing > 0 ? `(${firing}) ${name}` : name;
}

export function setTitle(title: string): void {
  view = title;
  show();
}

export function setFiring(count: number): void {
  firing = count;
  show();
}
