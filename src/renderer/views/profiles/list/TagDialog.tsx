import { useState } from 'react';
import { formatCount } from '../../../format/units.ts';
import { SaveDialog } from '../SaveDialog.tsx';
import { TagsField } from '../TagsField.tsx';
import { useProfileActions } from '../useProfileActions.ts';
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
  const [adds, removes] = [readTags(add), readTags(remove)];
  const wrong = adds.error !== null || removes.error !== null;
  const save = (): Promise<boolean> => {
    const parts = [
      ...(adds.tags.length > 0 ? [`tagged ${adds.tags.join(', ')}`] : []),
      ...(removes.tags.length > 0 ? [`no longer tagged ${removes.tags.join(', ')}`] : []),
    ];
    const change = { ids, add_tags: adds.tags, remove_tags: removes.tags };
    return actions.change(change, `${runsText(ids.length)} ${parts.join(', ')}.`);
  };
  return (
    <SaveDialog
      title={`Tags of ${runsText(ids.length, formatCount(ids.length))}`}
      size="md"
      ready={!wrong && adds.tags.length + removes.tags.length > 0}
      save={save}
      close={close}
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
    </SaveDialog>
  );
}
