import { Button, Modal } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useRef } from 'react';
import type { Prompt } from '../../../../shared/api/connections.ts';
import { Icon } from '../../../components/Icon.tsx';
import { formatCount } from '../../../format/units.ts';
import { usePrompts } from '../../../state/connections.ts';
import { useHome } from '../../../state/engine.ts';
import { notifyHidden } from '../../../state/notifying.ts';
import { PromptBody } from './PromptBody.tsx';
import { usePutOff } from './putOff.ts';
import { goneText } from './words.ts';
import '../connections.css';

/** Above every other dialog: a login waits for it. */
const ABOVE = 1000;

/** What logins ask, wherever in the console one is: one after the other, oldest first. */
export function Prompts() {
  const { prompts: model } = useHome();
  const prompts = usePrompts();
  const putOff = usePutOff((s) => s.ids);
  useEffect(() => {
    model.start();
    return model.onGone((prompt) => {
      // What only warns asks nothing.
      if (prompt.kind === 'changed-warning') return;
      notifications.show({
        message: goneText(prompt, model.now()),
        autoClose: 10_000,
        closeButtonProps: { 'aria-label': 'Close' },
      });
    });
  }, [model]);
  useTold(prompts);
  const open = prompts.filter(({ id }) => !putOff.has(id));
  const current = open[0];
  const cancel = useRef<() => void>(() => undefined);
  return (
    <Modal
      opened={current !== undefined}
      onClose={() => cancel.current()}
      // Closing cancels the login, so it is not done by a click beside; Escape is looked at where the fields are.
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={current?.title ?? ''}
      size={660}
      zIndex={ABOVE}
      transitionProps={{ duration: 0 }}
      // A dialog's header is no second banner of the page.
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Cancel this login' }}
      classNames={{ content: current?.kind === 'changed-warning' ? 'v-prompt v-prompt-danger' : 'v-prompt' }}
    >
      {current ? <PromptBody key={current.id} prompt={current} at={1} of={open.length} onCancel={cancel} /> : null}
    </Modal>
  );
}

/** In the header: what was put off. */
export function PutOffPrompts() {
  const prompts = usePrompts();
  const { ids, bringBack } = usePutOff();
  const waiting = prompts.filter(({ id }) => ids.has(id)).length;
  if (waiting === 0) return null;
  return (
    <Button
      size="xs"
      variant="light"
      flex="none"
      aria-label={waiting === 1 ? 'A login asks' : `${formatCount(waiting)} logins ask`}
      leftSection={<Icon name="warning" size={14} />}
      onClick={bringBack}
    >
      <span className="v-put-off">{waiting === 1 ? 'A login asks' : `${formatCount(waiting)} logins ask`}</span>
    </Button>
  );
}

/** A page that is not looked at says so: a login waits for a few minutes only. */
function useTold(prompts: readonly Prompt[]): void {
  const told = useRef(new Set<string>());
  useEffect(() => {
    for (const { id, host, title } of prompts) {
      if (told.current.has(id)) continue;
      told.current.add(id);
      notifyHidden(`${host} asks`, title, id);
    }
  }, [prompts]);
}
