/**
 * What history takes and how soon it answers, beside Debian's Prometheus with the same samples.
 *
 *     npm run bench -- store [--quick] [--only recorded,fleet,hour,start,late] [--gigabytes N]
 */

import { runChild } from './store/children.ts';
import { main } from './store/parts.ts';

if (process.argv[2] === 'child') await runChild(process.argv[3], process.argv[4]);
else await main();
