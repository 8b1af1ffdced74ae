import { Button, FileButton, Textarea } from '@mantine/core';

interface ListTextProps {
  /** What kinds of lists are taken. */
  readonly hint: string;
  readonly label: string;
  readonly description: string;
  /** Of files, as browsers take it. */
  readonly accept: string;
  readonly value: string;
  readonly error: string | null;
  /** Chosen from a file, or typed. */
  readonly onChange: (text: string, typed: boolean) => void;
}

/** A list as a text, out of a file or typed. */
export function ListText({ hint, label, description, accept, value, error, onChange }: ListTextProps) {
  return (
    <>
      <div className="v-toolbar v-flush">
        <span className="v-muted">{hint}</span>
        <div className="v-spacer" />
        <FileButton accept={accept} onChange={(file) => void file?.text().then((text) => onChange(text, false))}>
          {(props) => (
            <Button size="compact-xs" variant="default" {...props}>
              Choose a file
            </Button>
          )}
        </FileButton>
      </div>
      <Textarea
        size="xs"
        label={label}
        description={description}
        data-autofocus
        autosize
        minRows={6}
        maxRows={14}
        spellCheck={false}
        classNames={{ input: 'v-code' }}
        value={value}
        error={error}
        onChange={(event) => onChange(event.currentTarget.value, true)}
      />
    </>
  );
}
