import { closeRunFolder } from './runFolder';

export default closeRunFolder;
