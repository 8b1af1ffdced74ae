import { Button } from '@mantine/core';
import { useState } from 'react';
import { Dialog } from '../../../components/Dialog.tsx';
import { formatCount } from '../../../format/units.ts';
import { useProfileActions } from '../useProfileActions.ts';
import { TagsField } from '../TagsField.tsx';
import { runsText } from '../words.ts';
import { readTags } from './readTags.ts';

interface TagDialogProps {
  readonly ids: readonly string[];
  /** Tags that are in use. */
  readonly offered: readonly string[];
  readonly close: () => void;
}

/** Adds tags to several runs, and takes others away. */
export function TagDialog({ ids, offered, close }: TagDialogProps) {
  const actions = useProfileActions();
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [adds, removes] = [readTags(add), readTags(remove)];
  const wrong = adds.error !== null || removes.error !== null;
  const save = async (): Promise<void> => {
    setBusy(true);
    const parts = [
      ...(adds.tags.length > 0 ? [`tagged ${adds.tags.join(', ')}`] : []),
      ...(removes.tags.length > 0 ? [`no longer tagged ${removes.tags.join(', ')}`] : []),
    ];
    const change = { ids, add_tags: adds.tags, remove_tags: removes.tags };
    const done = await actions.change(change, `${runsText(ids.length)} ${parts.join(', ')}.`);
    setBusy(false);
    if (done) close();
  };
  return (
    <Dialog title={`Tags of ${runsText(ids.length, formatCount(ids.length))}`} close={close} size="md">
      <form
        className="v-fields"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TagsField
          label="Add"
          description="Enter or a comma ends a tag"
          autofocus
          value={add}
          error={adds.error}
          offered={offered}
          onChange={setAdd}
        />
        <TagsField label="Take away" value={remove} error={removes.error} offered={offered} onChange={setRemove} />
        <div className="v-ends">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            size="xs"
            type="submit"
            loading={busy}
            disabled={wrong || (adds.tags.length === 0 && removes.tags.length === 0)}
          >
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
