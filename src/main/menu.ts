/** The application's menu, with the habits of each platform. */

import { app, Menu, type MenuItemConstructorOptions } from 'electron';

export interface MenuActions {
  readonly reload: () => void;
  /** Starts the engine that belongs to this window again. */
  readonly restartEngine: () => void;
  readonly about: () => void;
}

export function setMenu({ reload, restartEngine, about }: MenuActions): void {
  const mac = process.platform === 'darwin';
  const aboutItem: MenuItemConstructorOptions = { label: 'About Vigie', click: about };
  const template: MenuItemConstructorOptions[] = [
    ...(mac
      ? [
          {
            label: 'Vigie',
            submenu: [
              aboutItem,
              { type: 'separator' },
              { role: 'services' },
              { type: 'separator' },
              { role: 'hide' },
              { role: 'hideOthers' },
              { role: 'unhide' },
              { type: 'separator' },
              { role: 'quit' },
            ],
          } satisfies MenuItemConstructorOptions,
        ]
      : []),
    {
      label: '&File',
      submenu: [
        { label: 'Restart the &engine', click: restartEngine },
        { type: 'separator' },
        mac ? { role: 'close' } : { role: 'quit', label: '&Quit', accelerator: 'Ctrl+Q' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { label: '&Reload', accelerator: 'CmdOrCtrl+R', click: reload },
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    ...(mac ? [] : [{ role: 'help', submenu: [aboutItem] } satisfies MenuItemConstructorOptions]),
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

/** What "About" shows. */
export function setAbout(icon: string): void {
  app.setAboutPanelOptions({
    applicationName: 'Vigie',
    applicationVersion: app.getVersion(),
    copyright: 'Apache-2.0',
    credits: `Electron ${process.versions.electron}, Chromium ${process.versions['chrome']}, Node ${process.versions.node}`,
    iconPath: icon,
  });
}
