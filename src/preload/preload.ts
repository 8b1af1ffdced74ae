/** Makes the bridge's object in the page. It runs in the sandbox and only passes messages on: the main process checks. */

import { contextBridge, ipcRenderer } from 'electron';
import type { BridgeMessage } from '../shared/bridge-messages.ts';
import { BRIDGE_CHANNEL, BRIDGE_NAME, type Bridge } from '../shared/bridge.ts';

const call = (message: BridgeMessage): Promise<never> => ipcRenderer.invoke(BRIDGE_CHANNEL, message) as Promise<never>;

const bridge: Bridge = {
  openExternal: (url) => call({ call: 'openExternal', url }),
  saveFile: (name, text) => call({ call: 'saveFile', name, text }),
  notify: (title, body) => call({ call: 'notify', title, body }),
  badge: (count) => call({ call: 'badge', count }),
  setTheme: (theme) => call({ call: 'setTheme', theme }),
};

contextBridge.exposeInMainWorld(BRIDGE_NAME, bridge);
