import './app/csp.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@mantine/core/styles.css';
import '@mantine/spotlight/styles.css';
import '@mantine/notifications/styles.css';
import 'uplot/dist/uPlot.min.css';
import './app/app.css';
import './app/parts.css';
import './views/board/board.css';
import './views/diagnostics/diagnostics.css';
import './views/job/mpi/mpi.css';
import './views/settings/settings.css';
import { App } from './app/App.tsx';
import { desktop, followLinks, refuseDrops } from './data/desktop.ts';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
refuseDrops();
if (desktop) followLinks(desktop);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
