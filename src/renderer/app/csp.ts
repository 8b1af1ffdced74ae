import { z } from 'zod';

// The page's CSP forbids eval; without this zod would try it when the first schema is made, and leave a violation in the
// console. So this module is imported before any schema.
z.config({ jitless: true });
