/** Operations of NFS version 3, in the order of RFC 1813. */
export const NFS3_OPERATIONS: readonly string[] = (
  'null getattr setattr lookup access readlink read write create mkdir symlink mknod remove rmdir rename link readdir ' +
  'readdirplus fsstat fsinfo pathconf commit'
).split(' ');

/**
 * What the Linux client does in version 4, in the order of the kernel's include/linux/nfs4.h, as far as it is the same
 * in all kernels of the last ten years: behind these, new ones were also put in between.
 */
export const NFS4_OPERATIONS: readonly string[] = (
  'null read write commit open open_confirm open_noattr open_downgrade close setattr fsinfo renew setclientid ' +
  'setclientid_confirm lock lockt locku access getattr lookup lookup_root remove rename link symlink create pathconf ' +
  'statfs readlink readdir server_caps delegreturn getacl setacl fs_locations release_lockowner secinfo fsid_present ' +
  'exchange_id create_session destroy_session sequence get_lease_time reclaim_complete layoutget getdeviceinfo ' +
  'layoutcommit layoutreturn secinfo_no_name test_stateid free_stateid getdevicelist bind_conn_to_session ' +
  'destroy_clientid seek allocate deallocate'
).split(' ');
