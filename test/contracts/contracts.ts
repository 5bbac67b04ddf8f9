import { describeClockContract } from './clock-contract.js';
import type { ContractSubject } from './contract-machine.js';
import { describeControlChannelContract } from './control-channel-contract.js';
import { describeDescriptorRepoContract } from './descriptor-repo-contract.js';
import { describeHealthProberContract } from './health-prober-contract.js';
import { describeLifecycleLockContract } from './lifecycle-lock-contract.js';
import { describeLogStoreContract } from './log-store-contract.js';
import { describeProcessInspectorContract } from './process-inspector-contract.js';
import { describeProcessSpawnerContract } from './process-spawner-contract.js';
import { describeReadinessProbeContract } from './readiness-probe-contract.js';
import { describeRunLogContract } from './run-log-contract.js';
import { describeSignalSenderContract } from './signal-sender-contract.js';

/** Every port's contract, for one kind of machine. */
export function describeContracts(subject: ContractSubject): void {
  describeClockContract(subject);
  describeProcessSpawnerContract(subject);
  describeSignalSenderContract(subject);
  describeProcessInspectorContract(subject);
  describeDescriptorRepoContract(subject);
  describeLifecycleLockContract(subject);
  describeReadinessProbeContract(subject);
  describeControlChannelContract(subject);
  describeLogStoreContract(subject);
  describeRunLogContract(subject);
  describeHealthProberContract(subject);
}
