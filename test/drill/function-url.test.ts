import { testDrill } from './drill-suite.ts';

testDrill('function-url');
