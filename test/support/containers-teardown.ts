import { leaveReaper } from './kept-reaper.ts';

// biome-ignore lint/style/noDefaultExport: required by jest.
export default leaveReaper;
