/** The tab's title: the view, which cluster's it is, and before it how many alarms fire. */

let view = '';
let cluster: string | null = null;
let firing = 0;

function show(): void {
  const name = [view, cluster ?? '', 'Vigie'].filter((part) => part !== '').join(' · ');
  document.title = firing > 0 ? `(${firing}) ${name}` : name;
}

export function setTitle(title: string): void {
  view = title;
  show();
}

/** Null: there is only one, which needs no name. */
export function setCluster(name: string | null): void {
  cluster = name;
  show();
}

export function setFiring(count: number): void {
  firing = count;
  show();
}
