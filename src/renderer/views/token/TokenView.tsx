import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { Message, useTitle } from '../../components/Message.tsx';
import { desktop } from '../../data/desktop.ts';
import { useSession } from '../../state/session.ts';

/** In the desktop program nobody has a token to type: it is the engine that is another one now. */
function RefusedWindow() {
  useTitle('Not accepted');
  return (
    <main id="main">
      <Message title="The engine does not accept this window">
        <p role="alert">Its token was changed while the window was open. Restart the engine in the menu File.</p>
        <Button size="xs" variant="default" onClick={() => window.location.reload()}>
          Load the page again
        </Button>
      </Message>
    </main>
  );
}

/** Asks for the engine's token, and says where it is. */
export function TokenView() {
  return desktop ? <RefusedWindow /> : <AskForToken />;
}

function AskForToken() {
  const refused = useSession((s) => s.refused);
  const enter = useSession((s) => s.enter);
  const [text, setText] = useState('');
  useTitle('Token needed');
  return (
    <main className="v-token" id="main">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = text.trim();
          if (token !== '') enter(token);
        }}
      >
        <h1>A token is needed</h1>
        {refused ? (
          <p role="alert" className="v-bad-text">
            The engine did not accept this page’s token. It may have been started anew.
          </p>
        ) : null}
        <p>
          <code>vigie start</code> (and <code>npm start</code>) prints a link that contains the token: open that link.{' '}
          <code>vigie serve</code> prints the path of the token file, whose only line is the token.
        </p>
        <PasswordInput
          label="Token"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the token' }}
        />
        <Button type="submit" disabled={text.trim() === ''}>
          Continue
        </Button>
        <p className="v-muted">It stays in this browser tab and is forgotten when the tab is closed.</p>
      </form>
    </main>
  );
}
