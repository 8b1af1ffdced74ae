import { ActionIcon, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { Icon } from './Icon.tsx';

/** A button that copies a text and says that it did. */
export function Copy({ text, name }: { readonly text: string; readonly name: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${name}`} withArrow openDelay={300}>
      <ActionIcon
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={`Copy ${name}`}
        onClick={() => clipboard.copy(text)}
      >
        <Icon name={clipboard.copied ? 'check' : 'copy'} />
      </ActionIcon>
    </Tooltip>
  );
}

/** A command to type, with its copy button. */
export function Command({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <div className="v-command">
      <code>{text}</code>
      <Copy text={text} name={name} />
    </div>
  );
}
