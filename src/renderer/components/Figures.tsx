export type Figure = readonly [name: string, text: string, how: string];

/** The figures of a thing in a row, each with a name and, on hover, how it is made. */
export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl className="v-figures">
      {figures.map(([name, text, how]) => (
        <div key={name} title={how}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
