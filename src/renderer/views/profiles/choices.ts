/** How lists of choices open: the list itself scrolls, which keys and assistive technology know how to do. */
export const CHOICES = {
  comboboxProps: { withinPortal: false },
  withScrollArea: false,
  classNames: { options: 'v-options' },
} as const;
