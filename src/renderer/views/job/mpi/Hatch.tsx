/** The pattern of waiting: it is told from other bars without colour, too. */
export function Hatch() {
  return (
    <defs>
      <pattern id="v-mpi-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="v-mpi-hatch-ground" />
        <rect width="2" height="6" className="v-mpi-hatch-line" />
      </pattern>
    </defs>
  );
}
